import { useCallback, useState } from 'react';

const STORED = 'api-key';

/** The key that the user entered, kept until the tab closes; else the one of the settings. */
export function useApiKey(configured: string): [string, (key: string) => void] {
  const [entered, setEntered] = useState(() => window.sessionStorage.getItem(STORED) ?? '');
  const enter = useCallback((key: string) => {
    if (key === '') window.sessionStorage.removeItem(STORED);
    else window.sessionStorage.setItem(STORED, key);
    setEntered(key);
  }, []);
  return [entered === '' ? configured : entered, enter];
}
