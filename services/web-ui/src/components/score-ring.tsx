import { formatShare } from '../format';
import styles from './score-ring.module.css';

const SIZE = 136;
const STROKE = 10;
const RADIUS = (SIZE - STROKE) / 2;

/** The whole score, 0 to 1, as a ring that fills clockwise from the top. */
export function ScoreRing({ score }: { score: number }) {
  const circle = { cx: SIZE / 2, cy: SIZE / 2, r: RADIUS, strokeWidth: STROKE };
  return (
    <div className={styles.ring}>
      <svg width={SIZE} height={SIZE} aria-hidden="true">
        <circle className={styles.track} {...circle} />
        <circle
          className={styles.value}
          {...circle}
          pathLength={1}
          strokeDasharray={`${score} 1`}
          transform={`rotate(-90 ${SIZE / 2} ${SIZE / 2})`}
        />
      </svg>
      <p className={styles.text}>
        <strong>{formatShare(score)}</strong>
        <span>Score</span>
      </p>
    </div>
  );
}
