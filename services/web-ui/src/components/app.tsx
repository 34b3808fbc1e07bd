import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { createApi } from '../api/client';
import { ApiError } from '../api/error';
import type { Analysis } from '../api/model';
import type { Config } from '../config';
import { formatShare } from '../format';
import { useApiKey } from '../hooks/use-api-key';
import { useHistory } from '../hooks/use-history';
import { analysisAddress, HOME, navigate, useAnalysisId } from '../route';
import { AnalysisLoader } from './analysis-loader';
import { AnalysisView } from './analysis-view';
import { ApiKeyDialog } from './api-key-dialog';
import styles from './app.module.css';
import { Composer } from './composer';
import { HealthStatus } from './health-status';
import { HistoryList } from './history-list';
import { Link } from './link';
import { PartMeanings } from './part-meanings';

export function App({ config }: { config: Config }) {
  const apiKey = useApiKey(config.apiKey);
  const api = useMemo(() => createApi(config, apiKey.key), [config, apiKey.key]);
  const history = useHistory(api);
  const { restart } = history;
  const id = useAnalysisId();
  const [shown, setShown] = useState<{ analysis: Analysis; answeredFromCache: boolean }>();
  const [announcement, setAnnouncement] = useState('');
  const result = useRef<HTMLDivElement>(null);
  const keyDialog = useRef<HTMLDialogElement>(null);

  const askForKey = useCallback(() => keyDialog.current?.showModal(), []);

  const show = useCallback((analysis: Analysis, answeredFromCache = false) => {
    setShown({ analysis, answeredFromCache });
    navigate(analysisAddress(analysis.id));
  }, []);

  useEffect(() => {
    if (shown !== undefined) result.current?.focus();
  }, [shown]);

  const submit = useCallback(
    async (text: string) => {
      setAnnouncement('');
      const analysis = await api.submit(text).catch((error: unknown) => {
        if (error instanceof ApiError && error.rejection !== undefined) navigate(HOME);
        throw error;
      });
      show(analysis, analysis.cached);
      restart();
      setAnnouncement(`The analysis is ready. Score ${formatShare(analysis.score)}.`);
    },
    [api, show, restart],
  );

  return (
    <>
      <a className={styles.skip} href="#text">
        Skip to the text
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <div className={styles.brand}>
            <h1>
              <Link className={styles.home} href={HOME} onFollow={() => navigate(HOME)}>
                <img src="/favicon.svg" alt="" width="28" height="28" />
                Text analysis
              </Link>
            </h1>
            {config.environment !== '' && (
              <span className={styles.environment}>{config.environment}</span>
            )}
          </div>
          <div className={styles.tools}>
            <HealthStatus api={api} />
            <button type="button" className="quiet" onClick={askForKey}>
              API key
            </button>
          </div>
        </div>
      </header>
      <div className={styles.columns}>
        <main className={styles.main}>
          <Composer maxLength={config.maxTextLength} onSubmit={submit} onNeedsApiKey={askForKey} />
          {id === null && (
            <section className={styles.introduction} aria-labelledby="introduction-heading">
              <h2 id="introduction-heading">How a text is scored</h2>
              <p>The score is the mean of four parts, each from 0 (poor) to 1 (good).</p>
              <PartMeanings />
            </section>
          )}
          {id !== null && (
            <div ref={result} className={styles.result} tabIndex={-1}>
              {shown?.analysis.id === id ? (
                <AnalysisView key={id} {...shown} />
              ) : (
                <AnalysisLoader key={id} api={api} id={id} onNeedsApiKey={askForKey} />
              )}
            </div>
          )}
        </main>
        <HistoryList history={history} selectedId={id} onSelect={show} onNeedsApiKey={askForKey} />
      </div>
      <ApiKeyDialog ref={keyDialog} hasEnteredKey={apiKey.entered} onEnter={apiKey.enter} />
      <p role="status" className="visually-hidden">
        {announcement}
      </p>
    </>
  );
}
