import { ApiError } from '../api/error';
import { formatCount } from '../format';
import styles from './notice.module.css';

interface NoticeProps {
  error: Error;
  onRetry: () => void;
  onNeedsApiKey: () => void;
}

/** What went wrong, in words, with what the user can do about it. */
export function Notice({ error, onRetry, onNeedsApiKey }: NoticeProps) {
  if (!(error instanceof ApiError)) {
    return (
      <div role="alert" className={styles.notice}>
        <p className={styles.title}>Something went wrong on this page</p>
        <p>{error.message}</p>
      </div>
    );
  }
  const { title, detail, retryAfter, requestId } = error;
  return (
    <div role="alert" className={styles.notice}>
      <p className={styles.title}>{title}</p>
      <p>{detail}</p>
      {retryAfter !== undefined && <p>Please wait {formatCount(retryAfter, 'second')}.</p>}
      {requestId !== undefined && <p className={styles.request}>Request {requestId}</p>}
      {error.needsApiKey && (
        <button type="button" onClick={onNeedsApiKey}>
          Enter an API key
        </button>
      )}
      {error.isTemporary && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
