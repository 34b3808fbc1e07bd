import { useCallback, useEffect, useState } from 'react';

export interface Load<T> {
  /** The last value that came; stays while the next one is on its way. */
  value: T | null;
  /** Why the last attempt failed; stays while the next one is on its way. */
  error: Error | null;
  loading: boolean;
  reload: () => void;
}

/** Runs `load` when it changes and at each `reload`, and aborts what is out of date. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>): Load<T> {
  const [state, setState] = useState<Omit<Load<T>, 'reload'>>({
    value: null,
    error: null,
    loading: true,
  });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt repeats the same load
  useEffect(() => {
    const abort = new AbortController();
    setState((last) => ({ ...last, loading: true }));
    load(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, error: null, loading: false });
      },
      (cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        if (!abort.signal.aborted) setState(({ value }) => ({ value, error, loading: false }));
      },
    );
    return () => abort.abort();
  }, [load, attempt]);

  return { ...state, reload };
}
