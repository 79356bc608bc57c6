// The filters of dead letters, as chips.
import type { Filter } from '../design/controls/FilterBar';
import { useT } from '../i18n';

export const reasons = [
  'exhausted',
  'gone',
  'unsendable',
  'hold_expired',
  'endpoint_deleted',
  'unrecordable',
  'not_retryable',
] as const;
const states = ['open', 'replayed', 'discarded'] as const;

export function useLetterFilters(hidden: string[] = []): Filter[] {
  const t = useT();
  const filters: Filter[] = [
    {
      name: 'state',
      label: t.underWay.state,
      options: states.map((value) => ({ value, label: t.deadLetters.states[value] })),
    },
    {
      name: 'reason',
      label: t.deadLetters.reason,
      options: reasons.map((value) => ({ value, label: t.deadLetters.reasons[value] })),
    },
    { name: 'app_id', label: t.application.application },
    { name: 'endpoint_id', label: t.endpoint.endpoint },
    { name: 'event_type', label: t.message.eventType },
    { name: 'status_code', label: t.deadLetters.lastStatus },
    { name: 'since', label: t.since },
    { name: 'until', label: t.until },
  ];
  return filters.filter((filter) => !hidden.includes(filter.name));
}
