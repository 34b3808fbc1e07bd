import { type FormEvent, type RefObject, useId, useState } from 'react';
import styles from './api-key-dialog.module.css';

interface ApiKeyDialogProps {
  ref: RefObject<HTMLDialogElement | null>;
  hasEnteredKey: boolean;
  onEnter: (key: string) => void;
}

export function ApiKeyDialog({ ref, hasEnteredKey, onEnter }: ApiKeyDialogProps) {
  const [key, setKey] = useState('');
  const titleId = useId();
  const fieldId = useId();

  function close() {
    setKey('');
    ref.current?.close();
  }

  function save(event: FormEvent) {
    event.preventDefault();
    onEnter(key.trim());
    close();
  }

  return (
    <dialog ref={ref} className={styles.dialog} aria-labelledby={titleId}>
      <form onSubmit={save}>
        <h2 id={titleId}>API key</h2>
        <p className="muted">
          {hasEnteredKey ? 'You have entered a key. ' : ''}A key is kept in this tab only, until you
          close it.
        </p>
        <label htmlFor={fieldId}>Key</label>
        <input
          id={fieldId}
          type="password"
          autoComplete="off"
          required={!hasEnteredKey}
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <div className={styles.actions}>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary">
            {hasEnteredKey && key.trim() === '' ? 'Forget the key' : 'Use this key'}
          </button>
        </div>
      </form>
    </dialog>
  );
}
