import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { ApiError } from '../api/error';
import { formatCount } from '../format';
import styles from './composer.module.css';
import { Notice } from './notice';
import { RejectionView } from './rejection-view';

interface ComposerProps {
  maxLength: number;
  onSubmit: (text: string) => Promise<void>;
  onNeedsApiKey: () => void;
}

const EXAMPLE = `The harbour wakes before the town does. Fishermen carry their crates along the quay, and the gulls follow the crates with loud interest. By the time the bakery opens its door, the first boats are already small on the horizon.

Nobody here owns a clock that is quite right. People read the hour from the tide, from the smell of bread, and from the school bell that rings across the water.`;

export function Composer({ maxLength, onSubmit, onNeedsApiKey }: ComposerProps) {
  const [text, setText] = useState('');
  const [mistake, setMistake] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const [pending, setPending] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const mistakeId = useId();
  const countId = useId();

  async function submit() {
    if (pending) return;
    const wrong = mistakeIn(text, maxLength);
    setMistake(wrong);
    setError(null);
    if (wrong !== '') {
      field.current?.focus();
      return;
    }
    setPending(true);
    try {
      await onSubmit(text);
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setPending(false);
    }
  }

  function onFormSubmit(event: FormEvent) {
    event.preventDefault();
    void submit();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void submit();
    }
  }

  function change(value: string) {
    setText(value);
    setMistake('');
  }

  const words = text.trim() === '' ? 0 : text.trim().split(/\s+/).length;
  const rejection = error instanceof ApiError ? error.rejection : undefined;
  const excess = lengthOf(text) - maxLength;
  return (
    <form className="card" onSubmit={onFormSubmit} noValidate>
      <div className={styles.heading}>
        <label htmlFor="text">Your text</label>
        {text === '' && (
          <button type="button" className="link" onClick={() => change(EXAMPLE)}>
            Use an example
          </button>
        )}
      </div>
      <textarea
        id="text"
        ref={field}
        className={styles.field}
        value={text}
        rows={7}
        placeholder="Write or paste a few sentences."
        aria-invalid={mistake !== ''}
        aria-describedby={mistake === '' ? countId : `${mistakeId} ${countId}`}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {mistake !== '' && (
        <p id={mistakeId} role="alert" className={styles.mistake}>
          {mistake}
        </p>
      )}
      <div className={styles.actions}>
        <p id={countId} className={excess > 0 ? styles.tooLong : styles.count}>
          {excess > 0 ? `${formatCount(excess, 'character')} too many` : formatCount(words, 'word')}
        </p>
        <span className={styles.shortcut} aria-hidden="true">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
        <button type="submit" className="primary" aria-disabled={pending}>
          {pending ? 'Analysing…' : 'Analyse'}
        </button>
      </div>
      {rejection !== undefined && <RejectionView rejection={rejection} />}
      {error !== null && rejection === undefined && (
        <Notice error={error} onRetry={() => void submit()} onNeedsApiKey={onNeedsApiKey} />
      )}
    </form>
  );
}

function mistakeIn(text: string, maxLength: number): string {
  if (text.trim() === '') return 'Write or paste a text first.';
  const length = lengthOf(text);
  if (length > maxLength) {
    return `A text may have ${formatCount(maxLength, 'character')}; this one has ${formatCount(length, 'character')}.`;
  }
  return '';
}

/** In Unicode characters, as the API counts; String.length counts UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}
