// Who changed what, as a table with pages.
import { api, everywhere } from '../api/client';
import type { AuditEntry } from '../api/types';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { Id } from '../design/values/Id';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { detailsOf } from './details';

export interface AuditFilter {
  app_id?: string;
  object_id?: string;
  action?: string;
  actor_id?: string;
  since?: string;
  until?: string;
}

interface Props {
  filter: AuditFilter;
  /** Of all environments, and what is of none, such as signing in. */
  isEverywhere?: boolean;
  onClear?: () => void;
}

export function AuditTable({ filter, isEverywhere = false, onClear }: Props) {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const query = { ...filter, limit: 50, order: 'descending' as const, iterator: url.iterator };
  const here = api.useQuery('get', '/api/v1/audit-log', { params: { query } }, { enabled: !isEverywhere });
  const everything = api.useQuery(
    'get',
    '/api/v1/admin/audit-log',
    { params: { query, header: everywhere } },
    { enabled: isEverywhere },
  );
  const list = isEverywhere ? everything : here;
  const columns: Column<AuditEntry>[] = [
    { id: 'at', head: t.audit.when, narrow: 'end', cell: (row) => <Time at={row.at} as="exact" /> },
    {
      id: 'action',
      head: t.audit.what,
      narrow: 'lead',
      cell: (row) => <span className="medium">{t.audit.action(row.action)}</span>,
    },
    { id: 'object', head: t.audit.object, narrow: 'line', cell: (row) => <ObjectLink entry={row} /> },
    { id: 'actor', head: t.audit.who, narrow: 'line', cell: (row) => <span>{t.audit.actor(row.actor)}</span> },
    {
      id: 'details',
      head: t.audit.details,
      isWide: true,
      narrow: 'line',
      cell: (row) => {
        const text = detailsOf(row, t, format);
        return (
          text && (
            <span className="faint" title={JSON.stringify(row.details, null, 2)}>
              {text}
            </span>
          )
        );
      },
    },
  ];
  if (list.error && !list.data) return <ListFailure error={list.error} onRetry={list.refetch} />;
  return (
    <>
      <Table
        label={t.shell.auditLog}
        columns={columns}
        rows={list.data?.data}
        rowKey={(row) => row.id}
        expected={10}
        empty={
          onClear ? (
            <NoMatch onClear={onClear} />
          ) : (
            <Empty icon="audit" title={t.audit.none}>
              {t.audit.noneNote}
            </Empty>
          )
        }
      />
      <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
    </>
  );
}

function ObjectLink({ entry }: { entry: AuditEntry }) {
  const path = pathOf(entry);
  const id = <Id id={entry.objectId} noCopy />;
  return path ? <Go to={path}>{id}</Go> : id;
}

export function pathOf(entry: Pick<AuditEntry, 'objectKind' | 'objectId' | 'appId'>): string | null {
  const { objectKind: kind, objectId: id, appId } = entry;
  if (kind === 'application') return `/applications/${id}`;
  if (kind === 'endpoint' && appId) return `/applications/${appId}/endpoints/${id}`;
  if (kind === 'message' && appId) return `/applications/${appId}/messages/${id}`;
  if (kind === 'dead_letter') return `/dead-letters/${id}`;
  if (kind === 'event_type') return `/event-types/${id}`;
  if (kind === 'background_task') return `/tasks/${id}`;
  if (kind === 'api_key') return '/api-keys';
  if (kind === 'alert_rule' || kind === 'alert_channel') return '/alerts';
  return null;
}
