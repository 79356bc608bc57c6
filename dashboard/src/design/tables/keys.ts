// Keys that work on a whole view: rows by j and k, and single keys that a view listens for.
import { type RefObject, useEffect, useRef } from 'react';

const typing = 'input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]';

/** Whether a key belongs to what has the focus, or to a dialog that lies above the view. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target as Element | null;
  if (target?.closest?.(typing)) return true;
  return !target?.closest?.('[role=dialog]') && document.querySelector('[role=dialog][aria-modal=true]') !== null;
}

export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      const act = latest.current[event.key];
      if (!act || isTaken(event)) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
}

/** Rows are `[data-row]`. `[data-open]` in a row is what opens it; its checkbox selects it; `[data-key=r]` is its act by that key,
 *  and outside of rows that of what is selected. */
export function useRowKeys(container: RefObject<HTMLElement | null>): void {
  const rows = () => [...(container.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));
  const move = (step: number) => {
    const all = rows();
    const row = all[Math.max(0, Math.min(all.length - 1, current() + step))];
    const target = row?.querySelector<HTMLElement>('[data-open]') ?? row;
    target?.focus();
    row?.scrollIntoView({ block: 'nearest' });
  };
  const press = (selector: string, shiftKey = false) => {
    const target = rows()[current()]?.querySelector<HTMLElement>(selector);
    target?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey }));
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: () => press('input[type=checkbox]'),
    ['X']: () => press('input[type=checkbox]', true),
    r: () => {
      if (rows()[current()]?.querySelector('[data-key=r]')) press('[data-key=r]');
      else document.querySelector<HTMLElement>('[data-key=r]:not([data-row] *)')?.click();
    },
  });
}

/** A click anywhere on a row opens it; controls in it keep their own clicks. */
export function openRow(event: React.MouseEvent<HTMLElement>): void {
  const target = event.target as Element;
  if (target.closest('a, button, input, label, select') || window.getSelection()?.toString()) return;
  const link = event.currentTarget.querySelector<HTMLElement>('[data-open]');
  if (!link) return;
  if ((event.metaKey || event.ctrlKey) && link instanceof HTMLAnchorElement) window.open(link.href);
  else link.click();
}
