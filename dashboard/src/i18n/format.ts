// How numbers, durations, sizes and times are written in a language.
import type { Units } from './en/units';

type When = string | number | Date;

const secondsOf = { min: 60, h: 3600, d: 86_400 };
const relativeSteps: [Intl.RelativeTimeFormatUnit, number, number][] = [
  ['second', 1, 60],
  ['minute', 60, 3600],
  ['hour', 3600, 86_400],
  ['day', 86_400, 14 * 86_400],
  ['week', 7 * 86_400, 60 * 86_400],
  ['month', 30 * 86_400, 365 * 86_400],
  ['year', 365 * 86_400, Number.POSITIVE_INFINITY],
];

export type Format = ReturnType<typeof createFormat>;

export function createFormat(locale: string, units: Units, timeZone?: string) {
  const number = new Intl.NumberFormat(locale);
  const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  // The order day, month is clear to all who read English.
  const dates = locale === 'en' ? 'en-GB' : locale;
  const style = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(dates, { timeZone, hour12: false, ...options });
  const clock = style({ hour: '2-digit', minute: '2-digit' });
  const clockSeconds = style({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const clockMs = style({ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
  const weekday = style({ weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const day = style({ day: 'numeric', month: 'short' });
  const dayWithYear = style({ day: 'numeric', month: 'short', year: 'numeric' });
  const full = style({
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const dayKey = style({ year: 'numeric', month: '2-digit', day: '2-digit' });

  /** Milliseconds as `84 ms`, `1.9 s`, `2 h 2 min`: two units at most, the smaller one only where it tells something. */
  function duration(ms: number): string {
    if (ms < 999.5) return units.ms(number.format(Math.round(ms)));
    const seconds = ms / 1000;
    if (seconds < 10) return units.s(oneDigit.format(seconds));
    if (Math.round(seconds) < 120) return units.s(number.format(Math.round(seconds)));
    const minutes = Math.round(seconds / secondsOf.min);
    if (minutes < 120) return units.min(number.format(minutes));
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return pair(units.h(number.format(hours)), minutes % 60, units.min);
    const allHours = Math.round(minutes / 60);
    return pair(units.d(number.format(Math.floor(allHours / 24))), allHours % 24, units.h);
  }

  function pair(first: string, rest: number, unit: (n: string) => string): string {
    return rest === 0 ? first : `${first} ${unit(number.format(rest))}`;
  }

  /** How often, in the unit in which it is not next to nothing: `2.9 /s`, `1.2 /min`. */
  function rate(perSecond: number): string {
    if (perSecond >= 0.1 || perSecond <= 0) return units.perSecond(oneDigit.format(perSecond));
    if (perSecond * 60 >= 1) return units.perMinute(oneDigit.format(perSecond * 60));
    return units.perHour(oneDigit.format(perSecond * 3600));
  }

  /** Bytes as `322 B`, `4.1 KiB`. */
  function bytes(count: number): string {
    if (count < 1024) return `${number.format(count)} B`;
    if (count < 1024 ** 2) return `${oneDigit.format(count / 1024)} KiB`;
    return `${oneDigit.format(count / 1024 ** 2)} MiB`;
  }

  /** A share from 0 to 1 as `96.8 %`. What is not whole never reads 0 % or 100 %. */
  function percent(share: number): string {
    let value = share * 100;
    const digits = value > 99 && value < 100 ? 2 : 1;
    if (value < 100 && value > 99.99) value = 99.99;
    if (value > 0 && value < 0.1) value = 0.1;
    return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} %`;
  }

  function ago(when: When, now: When = Date.now()): string {
    const seconds = (new Date(when).getTime() - new Date(now).getTime()) / 1000;
    const size = Math.abs(seconds);
    if (size < 5) return relative.format(0, 'second');
    for (const [unit, length, limit] of relativeSteps) {
      if (size < limit) return relative.format(Math.trunc(seconds / length), unit);
    }
    return '';
  }

  /** The shortest that is clear: a clock today, a weekday this week, a day otherwise. */
  function moment(when: When, now: When = Date.now()): string {
    const [date, today] = [new Date(when), new Date(now)];
    if (dayKey.format(date) === dayKey.format(today)) return clock.format(date);
    const days = Math.abs(date.getTime() - today.getTime()) / 86_400_000;
    if (days < 6) return weekday.format(date);
    return date.getFullYear() === today.getFullYear() ? day.format(date) : dayWithYear.format(date);
  }

  /** As `moment`, with seconds: for lists in which much happens within a minute. */
  function exact(when: When, now: When = Date.now()): string {
    const date = new Date(when);
    const time = clockSeconds.format(date);
    return dayKey.format(date) === dayKey.format(new Date(now)) ? time : `${day.format(date)} ${time}`;
  }

  return {
    number: (value: number) => number.format(value),
    oneDigit: (value: number) => oneDigit.format(value),
    compact: (value: number) => compact.format(value),
    duration,
    rate,
    bytes,
    percent,
    ago,
    moment,
    exact,
    day: (when: When) => day.format(new Date(when)),
    clock: (when: When) => clock.format(new Date(when)),
    clockSeconds: (when: When) => clockSeconds.format(new Date(when)),
    clockMs: (when: When) => clockMs.format(new Date(when)),
    full: (when: When) => full.format(new Date(when)),
    utc: (when: When) => `${new Date(when).toISOString().replace('T', ' ').replace('Z', '')} UTC`,
  };
}
