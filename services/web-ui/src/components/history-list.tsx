import type { Analysis } from '../api/model';
import { formatAge, formatCount, formatMoment, formatShare } from '../format';
import type { History } from '../hooks/use-history';
import { analysisAddress } from '../route';
import styles from './history-list.module.css';
import { Link } from './link';
import { Notice } from './notice';

interface HistoryListProps {
  history: History;
  selectedId: string | null;
  onSelect: (analysis: Analysis) => void;
  onNeedsApiKey: () => void;
}

export function HistoryList({ history, selectedId, onSelect, onNeedsApiKey }: HistoryListProps) {
  const { value, error, loading, reload, newer, older, pageNumber } = history;
  const now = Date.now();
  return (
    <section className={styles.history} aria-labelledby="history-heading" aria-busy={loading}>
      <h2 id="history-heading">History</h2>
      {error !== null && <Notice error={error} onRetry={reload} onNeedsApiKey={onNeedsApiKey} />}
      {value === null && error === null && <p className="muted">Loading…</p>}
      {value !== null && value.items.length === 0 && (
        <p className="muted">Nothing here yet. Every text that you analyse appears in this list.</p>
      )}
      {value !== null && value.items.length > 0 && (
        <ol className={styles.list}>
          {value.items.map((analysis) => (
            <li key={analysis.id}>
              <Link
                className={styles.entry}
                href={analysisAddress(analysis.id)}
                aria-current={analysis.id === selectedId ? 'page' : undefined}
                onFollow={() => onSelect(analysis)}
              >
                <span className={styles.score}>{formatShare(analysis.score)}</span>
                <span className={styles.excerpt}>{analysis.text}</span>
                <span className={styles.facts}>
                  <time dateTime={analysis.created_at} title={formatMoment(analysis.created_at)}>
                    {formatAge(analysis.created_at, now)}
                  </time>
                  {' · '}
                  {formatCount(analysis.words, 'word')}
                </span>
              </Link>
            </li>
          ))}
        </ol>
      )}
      {(newer !== null || older !== null) && (
        <nav className={styles.pages} aria-label="Pages of the history">
          <button type="button" aria-disabled={newer === null} onClick={newer ?? undefined}>
            Newer
          </button>
          <span role="status" className="muted">
            Page {pageNumber}
          </span>
          <button type="button" aria-disabled={older === null} onClick={older ?? undefined}>
            Older
          </button>
        </nav>
      )}
    </section>
  );
}
