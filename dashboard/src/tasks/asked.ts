// What a background task was asked to do, in words instead of its filter's JSON.
import { shortId } from '../design/values/Id';
import type { Messages } from '../i18n/en';
import type { Format } from '../i18n/format';

/** A condition of a filter: what it is about, and what it says. */
export type Condition = [name: string, label: string, value: string];

export function conditionsOf(filter: unknown, t: Messages, format: Format): Condition[] {
  return Object.entries((filter ?? {}) as Record<string, unknown>)
    .filter(([, value]) => value !== null && value !== undefined && value !== false)
    .map(([name, value]) => [name, labelOf(name, t), shownAs(name, value, t, format)]);
}

/** In one line. */
export function askedIn(filter: unknown, t: Messages, format: Format): string {
  const conditions = conditionsOf(filter, t, format);
  if (conditions.length === 0) return t.task.everything;
  return conditions
    .map(([name, label, value]) =>
      value === '' ? label : `${label} ${idNames.includes(name) ? shortId(value) : value}`,
    )
    .join(' · ');
}

/** What says of which application or endpoint. */
export const idNames = ['appId', 'endpointId', 'toEndpointId'];

function labelOf(name: string, t: Messages): string {
  const labels: Record<string, string> = t.task.conditions;
  return labels[name] ?? name;
}

function shownAs(name: string, value: unknown, t: Messages, format: Format): string {
  const named = (words: Record<string, string>) => words[String(value)] ?? String(value);
  if (value === true) return '';
  if (name === 'ids' && Array.isArray(value)) return format.number(value.length);
  if (name === 'reason') return named(t.deadLetters.reasons);
  if (name === 'state') return named(t.deadLetters.states);
  if (name === 'status') return named(t.task.standings);
  if (name === 'statusCodeClass') return value === 0 ? t.usage.noAnswer : `${Number(value) / 100}xx`;
  if (name === 'since' || name === 'until') return format.full(String(value));
  return Array.isArray(value) ? value.join(', ') : String(value);
}
