// A time as people read it: local and relative, with the whole of it and UTC on hover.
import { useEffect, useState } from 'react';
import { useFormat } from '../../i18n';

const tickMs = 10_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time now, renewed every few seconds by one timer for the whole page. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const listener = () => setNow(Date.now());
    listeners.add(listener);
    timer ??= setInterval(() => {
      for (const each of listeners) each();
    }, tickMs);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return now;
}

interface Props {
  at: string;
  /** `moment`: the shortest clear form; `exact`: with seconds; `clock`: with milliseconds; `ago`: relative. */
  as?: 'ago' | 'moment' | 'exact' | 'clock' | 'full';
}

export function Time({ at, as = 'ago' }: Props) {
  const format = useFormat();
  const now = useNow();
  const text = {
    ago: () => format.ago(at, now),
    moment: () => format.moment(at, now),
    exact: () => format.exact(at, now),
    clock: () => format.clockMs(at),
    full: () => format.full(at),
  }[as]();
  return (
    <time dateTime={at} title={`${format.full(at)} · ${format.utc(at)}`} className="nowrap">
      {text}
    </time>
  );
}
