// An id with a button that copies the whole of it; short in tables.
import { useState } from 'react';
import { useT } from '../../i18n';
import { Icon } from './Icon';
import './id.css';

const copiedMs = 1500;

/** `msg_01m8…4ah7b`: the kind, the start and the end. */
export function shortId(id: string): string {
  return /^[a-z]+_[0-9a-z]{20,}$/.test(id) ? `${id.slice(0, id.indexOf('_') + 5)}…${id.slice(-5)}` : id;
}

export function useCopy(): [boolean, (text: string) => void] {
  const [isCopied, setCopied] = useState(false);
  const copy = (text: string) => {
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), copiedMs);
    });
  };
  return [isCopied, copy];
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useT();
  const [isCopied, copy] = useCopy();
  const name = isCopied ? t.copied : (label ?? t.copy);
  return (
    <button
      type="button"
      className="copy"
      title={name}
      aria-label={name}
      onClick={(event) => {
        event.stopPropagation();
        event.preventDefault();
        copy(text);
      }}
    >
      <Icon name={isCopied ? 'check' : 'copy'} small />
    </button>
  );
}

export function Id({ id, whole, noCopy }: { id: string; whole?: boolean; noCopy?: boolean }) {
  return (
    <span className="id" title={id}>
      <span className="cut">{whole ? id : shortId(id)}</span>
      {!noCopy && <CopyButton text={id} />}
    </span>
  );
}
