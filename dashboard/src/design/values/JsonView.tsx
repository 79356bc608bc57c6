// A body: pretty, or raw as the bytes that were sent, with a search in it.
import { useId, useMemo, useState } from 'react';
import { useFormat, useT } from '../../i18n';
import { CopyButton } from './Id';
import { isJson, prettyTokens, type Token } from './json';
import './json-view.css';
import { Segmented } from '../controls/Segmented';

const searchFromCharacters = 400;

export function JsonText({ text, isRaw, search = '' }: { text: string; isRaw?: boolean; search?: string }) {
  const tokens = useMemo<Token[]>(() => (isRaw ? [{ kind: 'other', text }] : prettyTokens(text)), [text, isRaw]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <pre className="json" tabIndex={0}>
      {tokens.map((token, place) => (
        <span key={place} className={`json-${token.kind}`}>
          <Marked text={token.text} search={search} />
        </span>
      ))}
    </pre>
  );
}

function Marked({ text, search }: { text: string; search: string }) {
  if (search === '') return text;
  const parts: string[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(search); at >= 0; at = lower.indexOf(search, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + search.length));
    from = at + search.length;
  }
  parts.push(text.slice(from));
  return parts.map((part, place) => (place % 2 === 1 ? <mark key={place}>{part}</mark> : part));
}

export function JsonView({ title, text }: { title: string; text: string }) {
  const t = useT();
  const format = useFormat();
  const [view, setView] = useState<'pretty' | 'raw'>('pretty');
  const [search, setSearch] = useState('');
  const id = useId();
  const size = useMemo(() => new TextEncoder().encode(text).length, [text]);
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="caption">{format.bytes(size)}</span>
        <span className="end">
          {isJson(text) && (
            <Segmented
              label={title}
              value={view}
              onChange={setView}
              options={[
                { value: 'pretty', label: t.json.pretty },
                { value: 'raw', label: t.json.raw },
              ]}
            />
          )}
          <CopyButton text={text} />
        </span>
      </header>
      {text.length > searchFromCharacters && (
        <div className="json-search">
          <label className="visually-hidden" htmlFor={id}>
            {t.json.search}
          </label>
          <input
            id={id}
            type="search"
            className="plain-input"
            placeholder={t.json.search}
            value={search}
            onChange={(event) => setSearch(event.target.value.toLowerCase())}
          />
        </div>
      )}
      <JsonText text={text} isRaw={view === 'raw'} search={search} />
    </section>
  );
}
