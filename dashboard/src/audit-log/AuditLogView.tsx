// The audit log of the environment.

import { FilterBar } from '../design/controls/FilterBar';
import { Card, PageHead } from '../design/layout/Card';
import { useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { AuditTable } from './AuditTable';

const actions = [
  'application.created',
  'application.updated',
  'application.deleted',
  'application.erased',
  'application.paused',
  'application.resumed',
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
  'endpoint.disabled',
  'endpoint.paused',
  'endpoint.resumed',
  'dead_letter.replayed',
  'dead_letter.discarded',
  'message.resent',
  'message.expunged',
  'message.erased',
  'tag.erased',
  'message.cancelled',
  'environment.updated',
  'background_task.created',
  'background_task.cancelled',
  'event_type.created',
  'event_type.updated',
  'event_type.archived',
  'api_key.created',
  'api_key.revoked',
  'dispatching.paused',
  'dispatching.resumed',
];
const names = ['action', 'app_id', 'actor_id', 'object_id', 'since', 'until'] as const;

export function AuditLogView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const filter = Object.fromEntries(names.map((name) => [name, url[name]]));
  const isFiltered = names.some((name) => url[name]);
  const clear = () => setUrl(Object.fromEntries(names.map((name) => [name, undefined])));
  return (
    <>
      <PageHead title={t.audit.title}>
        <p>{t.audit.note}</p>
      </PageHead>
      <FilterBar
        values={url}
        onChange={setUrl}
        filters={[
          {
            name: 'action',
            label: t.audit.what,
            options: actions.map((value) => ({ value, label: t.audit.action(value) })),
          },
          { name: 'app_id', label: t.application.application },
          { name: 'actor_id', label: t.audit.who },
          { name: 'object_id', label: t.audit.object },
          { name: 'since', label: t.since },
          { name: 'until', label: t.until },
        ]}
      />
      <Card label={t.audit.title}>
        <AuditTable filter={filter} onClear={isFiltered ? clear : undefined} />
      </Card>
    </>
  );
}
