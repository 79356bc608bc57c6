// The audit log of the environment.

import { FilterBar } from '../design/controls/FilterBar';
import { Segmented } from '../design/controls/Segmented';
import { Card, PageHead } from '../design/layout/Card';
import { useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { useUrl } from '../navigation/url';
import { AuditTable } from './AuditTable';

const actions = [
  'application.created',
  'application.updated',
  'application.deleted',
  'application.erased',
  'application.paused',
  'application.resumed',
  'application.tokens.expired',
  'endpoint.created',
  'endpoint.updated',
  'endpoint.headers.updated',
  'endpoint.secret.rotated',
  'endpoint.secret.ended',
  'endpoint.checked',
  'endpoint.disabled',
  'endpoint.paused',
  'endpoint.resumed',
  'endpoint.deleted',
  'dead_letter.replayed',
  'dead_letter.discarded',
  'message.resent',
  'message.cancelled',
  'message.expunged',
  'message.erased',
  'attempt.expunged',
  'tag.erased',
  'background_task.created',
  'background_task.cancelled',
  'event_type.created',
  'event_type.updated',
  'event_type.imported',
  'event_type.archived',
  'event_type.expunged',
  'alert_rule.created',
  'alert_rule.updated',
  'alert_rule.deleted',
  'alert_channel.created',
  'alert_channel.updated',
  'alert_channel.deleted',
  'incident.acknowledge',
  'incident.unacknowledge',
  'inbox.created',
  'inbox.deleted',
  'portal.look.set',
  'api_key.created',
  'api_key.revoked',
  'environment.created',
  'environment.updated',
  'environment.secrets.exported',
  'dispatching.paused',
  'dispatching.resumed',
  'session.began',
  'session.ended',
  'token.logged_out',
];
const names = ['action', 'app_id', 'actor_id', 'object_id', 'since', 'until'] as const;

export function AuditLogView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { isOperator } = usePermissions();
  const isEverywhere = isOperator && url.of === 'all';
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
      >
        <span className="grow" />
        {isOperator && (
          <Segmented
            label={t.shell.environment}
            value={isEverywhere ? 'all' : 'one'}
            onChange={(value) => setUrl({ of: value === 'all' ? 'all' : undefined })}
            options={[
              { value: 'one', label: t.audit.thisEnvironment },
              { value: 'all', label: t.audit.everywhere },
            ]}
          />
        )}
      </FilterBar>
      <Card label={t.audit.title}>
        <AuditTable filter={filter} isEverywhere={isEverywhere} onClear={isFiltered ? clear : undefined} />
      </Card>
    </>
  );
}
