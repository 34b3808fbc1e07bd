import { useCallback, useState } from 'react';

const STORED = 'api-key';

export interface ApiKey {
  /** What the user entered, else what the settings bring; empty: there is none. */
  key: string;
  /** Whether the user entered it. */
  entered: boolean;
  /** Keeps a key until the tab closes; an empty one forgets the last. */
  enter: (key: string) => void;
}

export function useApiKey(configured: string): ApiKey {
  const [stored, setStored] = useState(() => window.sessionStorage.getItem(STORED) ?? '');
  const enter = useCallback((key: string) => {
    if (key === '') window.sessionStorage.removeItem(STORED);
    else window.sessionStorage.setItem(STORED, key);
    setStored(key);
  }, []);
  const entered = stored !== '';
  return { key: entered ? stored : configured, entered, enter };
}
