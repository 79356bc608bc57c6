// What an entry of the audit log says besides: which fields changed, what a task was asked, and whatever else, in one line.
import type { Messages } from '../i18n/en';
import type { Format } from '../i18n/format';
import { askedIn } from '../tasks/asked';

export function detailsOf(entry: { details: unknown }, t: Messages, format: Format): string {
  const { fields, kind, filter, total, note, ...others } = (entry.details ?? {}) as Record<string, unknown>;
  const names = Array.isArray(fields) ? fields.map(String) : [];
  return [
    names.length > 0 ? t.audit.changed(names.map((name) => t.audit.fields[name] ?? name)) : null,
    typeof kind === 'string' ? kindOf(kind, t) : null,
    filter !== undefined && filter !== null ? askedIn(filter, t, format) : null,
    typeof total === 'number' ? t.audit.matched(total) : null,
    ...Object.entries(others).map(([name, value]) => factOf(name, value, t, format)),
    typeof note === 'string' ? t.audit.noted(note) : null,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Of a task, or of an alert's channel. */
function kindOf(kind: string, t: Messages): string {
  return (t.alerts.shortKinds as Record<string, string>)[kind] ?? t.task.kinds(kind);
}

/** What is not named here is a condition such as a task has, or shown as it is. */
function factOf(name: string, value: unknown, t: Messages, format: Format): string | null {
  if (value === null || value === undefined || value === false || value === 0) return null;
  const label = t.audit.names[name];
  if (label === undefined) return askedIn({ [name]: value }, t, format);
  if (value === true) return label;
  return `${label} ${factValue(name, value, t, format)}`;
}

function factValue(name: string, value: unknown, t: Messages, format: Format): string {
  if (name.endsWith('Seconds')) return format.duration(Number(value) * 1000);
  if (name === 'failingSince') return format.full(String(value));
  if (name === 'role') return t.apiKeys.roles(String(value));
  if (name === 'reason') return t.audit.reasons[String(value)] ?? String(value);
  if (name === 'purpose') return t.audit.purposes[String(value)] ?? String(value);
  if (typeof value === 'number') return format.number(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
