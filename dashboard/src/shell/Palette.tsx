// Search everything, go anywhere, act. Opens by ⌘K or Ctrl K.
import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from 'react';
import { client } from '../api/client';
import { errorText } from '../api/error-text';
import type { Schemas } from '../api/types';
import { Icon, type IconName } from '../design/values/Icon';
import { shortId } from '../design/values/Id';
import { useT } from '../i18n';
import { consolePlaces as places } from '../navigation/places';
import { useShell } from './Nav';
import './palette.css';
import { type Choice, placesFor } from './palette-choices';

type Hit = Schemas['SearchHitOut'];

const icons: Record<Hit['kind'], IconName> = {
  application: 'application',
  endpoint: 'external',
  message: 'message',
  dead_letter: 'deadLetter',
  event_type: 'eventType',
  background_task: 'task',
};

/** Where a hit is shown. */
export function pathOf(hit: Hit): string {
  const app = hit.appId ?? '';
  if (hit.kind === 'application') return places.application(hit.id) ?? '/applications';
  if (hit.kind === 'endpoint') return places.endpoint(app, hit.id);
  if (hit.kind === 'message') return places.message(app, hit.id);
  if (hit.kind === 'dead_letter') return places.deadLetter(hit.id);
  if (hit.kind === 'event_type') return places.eventType(hit.id);
  return `/tasks/${hit.id}`;
}

export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const { session } = useShell();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const asked = useDeferredValue(text.trim());
  const { data, isFetching, error } = useQuery({
    queryKey: ['search', asked],
    enabled: asked !== '',
    queryFn: async ({ signal }) =>
      (await client.GET('/api/v1/search', { params: { query: { q: asked } }, signal })).data?.data ?? [],
  });
  const hits = asked === '' ? [] : (data ?? []);
  const found: Choice[] = hits.map((hit) => ({
    group: t.palette.kinds[hit.kind],
    icon: icons[hit.kind],
    label: hit.title,
    note: [
      hit.state && t.palette.states(hit.state),
      hit.kind === 'application' || hit.kind === 'event_type' ? null : hit.appName,
      hit.kind === 'application' || hit.kind === 'event_type' || hit.kind === 'endpoint' ? null : shortId(hit.id),
    ]
      .filter(Boolean)
      .join(' · '),
    path: pathOf(hit),
  }));
  const choices = [...found, ...placesFor(t, session.role === 'operator', text)];
  const chosen = Math.min(at, choices.length - 1);

  useEffect(() => {
    list.current?.querySelector(`[data-place="${chosen}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const open = (choice: Choice | undefined, isNewTab: boolean) => {
    if (!choice) return;
    if (choice.path === '?') return onHelp();
    if (isNewTab) window.open(document.baseURI.replace(/\/$/, '') + choice.path);
    else void navigate({ to: choice.path, search: (choice.search ?? {}) as never });
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((chosen + step + choices.length) % choices.length);
    else if (event.key === 'Enter') open(choices[chosen], event.metaKey || event.ctrlKey);
    else return;
    event.preventDefault();
  };

  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      size={640}
      yOffset="12vh"
      lockScroll={false}
      transitionProps={{ duration: 0 }}
      aria-label={t.shell.searchOrAct}
      classNames={{ content: 'palette', body: 'palette-body' }}
    >
      <div className="palette-field">
        <Icon name="search" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={`${listId}-${chosen}`}
          aria-label={t.shell.searchOrAct}
          placeholder={t.palette.placeholder}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        {isFetching && <span className="caption">{t.palette.searching}</span>}
      </div>
      <div className="palette-list" role="listbox" id={listId} aria-label={t.palette.results} ref={list}>
        {choices.map((choice, place) => (
          <div key={`${choice.path}-${place}`}>
            {choice.group !== choices[place - 1]?.group && <div className="nav-group">{choice.group}</div>}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys. */}
            <div
              role="option"
              tabIndex={-1}
              id={`${listId}-${place}`}
              data-place={place}
              aria-selected={place === chosen}
              className="palette-choice"
              onClick={(event) => open(choice, event.metaKey || event.ctrlKey)}
              onPointerMove={() => setAt(place)}
            >
              <Icon name={choice.icon} />
              <span className="cut">
                <Match text={choice.label} part={asked} />
              </span>
              <span className="caption">{choice.note}</span>
            </div>
          </div>
        ))}
        {error && <p className="palette-none dead">{errorText(error, t.failure)}</p>}
        {choices.length === 0 && !isFetching && !error && <p className="palette-none">{t.palette.nothing(text)}</p>}
      </div>
      <footer className="palette-foot">
        <span>
          <kbd>↑↓</kbd> {t.palette.move}
        </span>
        <span>
          <kbd>↵</kbd> {t.palette.open}
        </span>
        <span className="only-wide">{t.palette.idsWork}</span>
      </footer>
    </Modal>
  );
}

function Match({ text, part }: { text: string; part: string }) {
  const at = part === '' ? -1 : text.toLowerCase().indexOf(part.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <b>{text.slice(at, at + part.length)}</b>
      {text.slice(at + part.length)}
    </>
  );
}
