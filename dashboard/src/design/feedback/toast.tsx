// Short notes of what was done or went wrong, at the edge of the page.
import { useSyncExternalStore } from 'react';
import { Icon } from '../values/Icon';
import './toast.css';

interface Toast {
  id: number;
  text: string;
  isProblem: boolean;
}

const shownMs = 5_000;
let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, isProblem = false): void {
  const id = nextId++;
  change([...toasts.slice(-2), { id, text, isProblem }]);
  setTimeout(() => change(toasts.filter((each) => each.id !== id)), shownMs);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <div key={each.id} className="toast">
          <span className={each.isProblem ? 'dead' : 'delivered'}>
            <Icon name={each.isProblem ? 'warning' : 'delivered'} />
          </span>
          {each.text}
        </div>
      ))}
    </div>
  );
}
