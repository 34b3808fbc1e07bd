import { useId } from 'react';
import type { Api } from '../api/client';
import type { Health } from '../api/model';
import { useHealth } from '../hooks/use-health';
import styles from './health-status.module.css';

type Condition = Health['status'] | 'unreachable' | 'checking';

const TEXTS: Readonly<Record<Condition, { label: string; meaning: string }>> = {
  ready: { label: 'Ready', meaning: 'Everything works.' },
  degraded: { label: 'Degraded', meaning: 'Texts are analysed, though a part is down.' },
  unavailable: { label: 'Unavailable', meaning: 'No text can be analysed just now.' },
  unreachable: { label: 'Unreachable', meaning: 'The API does not answer.' },
  checking: { label: 'Checking…', meaning: 'The API is being asked.' },
};

/** The health of the stack in a word, and of each of its parts on demand. */
export function HealthStatus({ api }: { api: Api }) {
  const { value, error } = useHealth(api);
  const panelId = useId();
  const condition: Condition = error === null ? (value?.status ?? 'checking') : 'unreachable';
  const parts = error === null && value !== null ? Object.entries(value.parts) : [];
  const { label, meaning } = TEXTS[condition];
  return (
    <>
      <button type="button" className={`quiet ${styles.status}`} popoverTarget={panelId}>
        <span className={styles[condition]} aria-hidden="true" />
        <span className="visually-hidden">Health of the service: </span>
        {label}
      </button>
      <div id={panelId} popover="auto" className={styles.panel}>
        <p>{meaning}</p>
        {parts.length > 0 && (
          <dl className={styles.parts}>
            {parts.map(([name, state]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <span
                    className={state === 'up' ? styles.ready : styles.unavailable}
                    aria-hidden="true"
                  />
                  {state}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </>
  );
}
