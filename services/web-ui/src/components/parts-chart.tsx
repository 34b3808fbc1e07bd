import type { Parts } from '../api/model';
import { formatShare } from '../format';
import { PARTS } from '../parts';
import styles from './parts-chart.module.css';

const ROW = 46;
const BAR_TOP = 24;
const BAR = 8;

/** A bar from 0 to 1 for each part of the score. Widths are percentages: text keeps its size. */
export function PartsChart({ parts }: { parts: Parts }) {
  const summary = PARTS.map(({ key, label }) => `${label} ${formatShare(parts[key])}`).join(', ');
  return (
    <svg
      className={styles.chart}
      role="img"
      aria-label={`Parts of the score, each from 0 to 1: ${summary}`}
      width="100%"
      height={PARTS.length * ROW - (ROW - BAR_TOP - BAR)}
    >
      {PARTS.map(({ key, label }, row) => (
        <g key={key} transform={`translate(0 ${row * ROW})`}>
          <text className={styles.label} x="0" y="14">
            {label}
          </text>
          <text className={styles.value} x="100%" y="14" textAnchor="end">
            {formatShare(parts[key])}
          </text>
          <rect className={styles.track} y={BAR_TOP} width="100%" height={BAR} rx={BAR / 2} />
          <rect
            className={styles.bar}
            y={BAR_TOP}
            width={`${parts[key] * 100}%`}
            height={BAR}
            rx={BAR / 2}
          />
        </g>
      ))}
    </svg>
  );
}
