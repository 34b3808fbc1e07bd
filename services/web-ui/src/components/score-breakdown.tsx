import type { Parts } from '../api/model';
import { PartsChart } from './parts-chart';
import styles from './score-breakdown.module.css';
import { ScoreRing } from './score-ring';

/** The whole score beside what it is made of. */
export function ScoreBreakdown({ score, parts }: { score: number; parts: Parts }) {
  return (
    <div className={styles.breakdown}>
      <ScoreRing score={score} />
      <PartsChart parts={parts} />
    </div>
  );
}
