// What an entry of the audit log says besides: which fields changed, what a task was asked, and whatever else, in one line.
import type { Messages } from '../i18n/en';
import type { Format } from '../i18n/format';
import { askedIn } from '../tasks/asked';

export function detailsOf(entry: { details: unknown }, t: Messages, format: Format): string {
  const { fields, kind, filter, total, note, ...others } = (entry.details ?? {}) as Record<string, unknown>;
  const names = Array.isArray(fields) ? fields.map(String) : [];
  return [
    names.length > 0 ? t.audit.changed(names) : null,
    typeof kind === 'string' ? t.task.kinds(kind) : null,
    filter !== undefined && filter !== null ? askedIn(filter, t, format) : null,
    typeof total === 'number' ? t.audit.matched(total) : null,
    Object.keys(others).length > 0 ? askedIn(others, t, format) : null,
    typeof note === 'string' ? t.audit.noted(note) : null,
  ]
    .filter(Boolean)
    .join(' · ');
}
