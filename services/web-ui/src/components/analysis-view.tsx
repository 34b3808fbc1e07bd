import type { Analysis } from '../api/model';
import { formatCount, formatMoment } from '../format';
import styles from './analysis-view.module.css';
import { PartMeanings } from './part-meanings';
import { ScoreBreakdown } from './score-breakdown';

interface AnalysisViewProps {
  analysis: Analysis;
  /** Whether the text was submitted just now, but had its analysis already. */
  answeredFromCache?: boolean;
}

export function AnalysisView({ analysis, answeredFromCache = false }: AnalysisViewProps) {
  const facts = [
    formatCount(analysis.words, 'word'),
    formatCount(analysis.sentences, 'sentence'),
    formatMoment(analysis.created_at),
    ...(answeredFromCache ? ['analysed before'] : []),
  ];
  return (
    <section className="card" aria-labelledby="analysis-heading">
      <div className={styles.heading}>
        <h2 id="analysis-heading">Analysis</h2>
        <ul className={styles.facts}>
          {facts.map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      </div>
      <div className={styles.result}>
        <ScoreBreakdown score={analysis.score} parts={analysis.parts} />
      </div>
      <details className={styles.more}>
        <summary>What the parts mean</summary>
        <PartMeanings />
      </details>
      <details className={styles.more}>
        <summary>The text</summary>
        <blockquote className={styles.text}>{analysis.text}</blockquote>
      </details>
    </section>
  );
}
