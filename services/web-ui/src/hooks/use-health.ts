import { useEffect } from 'react';
import type { Api } from '../api/client';
import type { Health } from '../api/model';
import { type Load, useLoad } from './use-load';

const INTERVAL_MS = 15_000;

/** The health of the stack, asked again and again for as long as somebody looks at the page. */
export function useHealth(api: Api): Load<Health> {
  const health = useLoad(api.health);
  const { reload } = health;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return health;
}
