import type { Rejection } from '../api/model';
import { formatShare } from '../format';
import styles from './rejection-view.module.css';
import { ScoreBreakdown } from './score-breakdown';

/** A text that was scored but not accepted, and the parts in which it falls short. */
export function RejectionView({ rejection }: { rejection: Rejection }) {
  const { score, threshold, parts } = rejection;
  return (
    <div className={styles.rejection}>
      <div role="alert">
        <p className={styles.title}>The text was not accepted</p>
        <p className="muted">
          It scores {formatShare(score)}; a text needs {formatShare(threshold)} to be kept.
        </p>
      </div>
      <ScoreBreakdown score={score} parts={parts} />
    </div>
  );
}
