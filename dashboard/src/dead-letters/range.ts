// Selects all rows from the one that was selected last to this one.
import { useRef } from 'react';

export function between(keys: string[], from: string | null, to: string): string[] {
  const end = keys.indexOf(to);
  const start = from === null ? end : keys.indexOf(from);
  if (start < 0) return [to];
  return keys.slice(Math.min(start, end), Math.max(start, end) + 1);
}

export function useRange(
  keys: string[],
  selected: ReadonlySet<string>,
  onSelect: (selected: ReadonlySet<string>) => void,
) {
  const before = useRef(selected);
  const last = useRef<string | null>(null);
  const added = [...selected].filter((key) => !before.current.has(key)).at(-1);
  if (added) last.current = added;
  before.current = selected;
  return (key: string) => onSelect(new Set([...selected, ...between(keys, last.current, key)]));
}
