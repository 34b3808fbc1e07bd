import { PARTS } from '../parts';
import styles from './part-meanings.module.css';

export function PartMeanings() {
  return (
    <dl className={styles.meanings}>
      {PARTS.map(({ key, label, meaning }) => (
        <div key={key}>
          <dt>{label}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
