import styles from './start-failure.module.css';

/** In place of the page when its settings cannot be read. */
export function StartFailure({ reason }: { reason: string }) {
  return (
    <main className={styles.failure}>
      <h1>The page cannot start</h1>
      <p>Its settings are missing or wrong. Reload the page; if it stays, tell an operator this:</p>
      <pre>{reason}</pre>
      <button type="button" className="primary" onClick={() => window.location.reload()}>
        Reload
      </button>
    </main>
  );
}
