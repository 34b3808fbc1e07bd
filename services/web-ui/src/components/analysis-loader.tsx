import { useCallback } from 'react';
import type { Api } from '../api/client';
import { useLoad } from '../hooks/use-load';
import { AnalysisView } from './analysis-view';
import { Notice } from './notice';

interface AnalysisLoaderProps {
  api: Api;
  id: string;
  onNeedsApiKey: () => void;
}

/** Fetches an analysis that the page does not know yet, such as after a reload. */
export function AnalysisLoader({ api, id, onNeedsApiKey }: AnalysisLoaderProps) {
  const load = useCallback((signal: AbortSignal) => api.analysis(id, signal), [api, id]);
  const { value, error, reload } = useLoad(load);
  if (value !== null) return <AnalysisView analysis={value} />;
  return (
    <section className="card" aria-busy={error === null}>
      {error === null ? (
        <p className="muted">Loading the analysis…</p>
      ) : (
        <Notice error={error} onRetry={reload} onNeedsApiKey={onNeedsApiKey} />
      )}
    </section>
  );
}
