import { useCallback, useState } from 'react';
import type { Api } from '../api/client';
import type { HistoryPage } from '../api/model';
import { type Load, useLoad } from './use-load';

export interface History extends Load<HistoryPage> {
  /** Counted from 1. */
  pageNumber: number;
  /** Null where there is nothing newer or older. */
  newer: (() => void) | null;
  older: (() => void) | null;
  /** Back to the newest page, and read it again. */
  restart: () => void;
}

/** The history, page by page. The API's cursor leads forward only: the way back is kept here. */
export function useHistory(api: Api): History {
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const current = cursors.at(-1) ?? null;
  const load = useCallback((signal: AbortSignal) => api.history(current, signal), [api, current]);
  const page = useLoad(load);
  const { reload } = page;

  const restart = useCallback(() => {
    setCursors([null]);
    reload();
  }, [reload]);

  const next = page.loading ? null : (page.value?.next ?? null);
  return {
    ...page,
    pageNumber: cursors.length,
    newer: cursors.length > 1 ? () => setCursors(cursors.slice(0, -1)) : null,
    older: next === null ? null : () => setCursors([...cursors, next]),
    restart,
  };
}
