// The last few changes of an object, in a sentence each.
import { api } from '../api/client';
import { Skeleton } from '../design/feedback/Loaded';
import { Failure } from '../design/feedback/Notice';
import { Facts } from '../design/layout/Card';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import type { AuditFilter } from './AuditTable';

export function AuditList({ filter, limit = 5 }: { filter: AuditFilter; limit?: number }) {
  const t = useT();
  const list = api.useQuery('get', '/api/v1/audit-log', {
    params: { query: { ...filter, limit, order: 'descending' } },
  });
  if (list.error) return <Failure error={list.error} onRetry={list.refetch} />;
  if (!list.data) return <Skeleton height={60} />;
  if (list.data.data.length === 0) return <p className="small dim">{t.audit.noneYet}</p>;
  return (
    <Facts
      rows={list.data.data.map((entry) => [
        <Time key={entry.id} at={entry.at} as="moment" />,
        t.audit.sentence(t.audit.actor(entry.actor), t.audit.action(entry.action)),
      ])}
    />
  );
}
