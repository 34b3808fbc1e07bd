import { useSyncExternalStore } from 'react';

export const HOME = '/';

export const ANALYSIS_PATTERN = /^\/analyses\/([0-9a-f-]{36})$/;

/** The address of an analysis on this page. nginx.conf serves the page at exactly these. */
export function analysisAddress(id: string): string {
  return `/analyses/${id}`;
}

export function analysisIdOf(address: string): string | null {
  return ANALYSIS_PATTERN.exec(address)?.[1] ?? null;
}

export function navigate(address: string): void {
  if (address === window.location.pathname) return;
  window.history.pushState(null, '', address);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

/** The id of the analysis that the address names; null on the start page. */
export function useAnalysisId(): string | null {
  return useSyncExternalStore(subscribe, () => analysisIdOf(window.location.pathname));
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('popstate', onChange);
  return () => window.removeEventListener('popstate', onChange);
}
