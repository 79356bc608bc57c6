// The nodes, and the queue by tenant and by endpoint.
import { api } from '../api/client';
import type { Schemas } from '../api/types';
import { Card, PageHead, Section } from '../design/Card';
import { shortId } from '../design/Id';
import { Empty, Failure } from '../design/Notice';
import { Pager } from '../design/Pager';
import { StateWord } from '../design/State';
import { type Column, Table } from '../design/Table';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import '../overview/overview.css';
import { NodesTable } from './NodesTable';

type Tenant = Schemas['TenantQueueOut'];
type EndpointQueue = Schemas['EndpointQueueOut'];
const refetchMs = 5_000;

export function NodesView() {
  const t = useT();
  const nodes = api.useQuery('get', '/api/v1/admin/node', {}, { refetchInterval: refetchMs });
  return (
    <>
      <PageHead title={t.shell.nodes}>
        <p>{t.node.note}</p>
      </PageHead>
      <Card label={t.overview.nodes}>
        {nodes.error && !nodes.data ? (
          <Failure error={nodes.error} onRetry={nodes.refetch} />
        ) : (
          <NodesTable nodes={nodes.data?.data} />
        )}
      </Card>
      <Tenants />
      <Endpoints />
    </>
  );
}

function Tenants() {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  const query = api.useQuery('get', '/api/v1/admin/queue/app', {}, { refetchInterval: refetchMs });
  const capped = (count: number, row: { isCapped: boolean }) => t.num({ count, isCapped: row.isCapped });
  const columns: Column<Tenant>[] = [
    {
      id: 'application',
      head: t.application.application,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.application(row.appId) ?? '/'} search={{ env: row.environmentId }} opens>
          {row.appName ?? shortId(row.appId)} <span className="faint">{row.environmentId}</span>
        </Go>
      ),
    },
    {
      id: 'endpoints',
      head: t.application.endpoints,
      isNumber: true,
      narrow: 'named',
      cell: (row) => format.number(row.endpoints),
    },
    { id: 'waiting', head: t.states.waiting, isNumber: true, narrow: 'named', cell: (row) => capped(row.waiting, row) },
    { id: 'due', head: t.node.due, isNumber: true, narrow: 'named', cell: (row) => capped(row.due, row) },
    {
      id: 'oldest',
      head: t.node.oldestDue,
      isNumber: true,
      narrow: 'end',
      cell: (row) => format.duration(Math.max(0, row.oldestAgeSeconds) * 1000),
    },
  ];
  return (
    <Section title={t.node.byApplication} note={t.node.queueNote}>
      <Card label={t.node.byApplication}>
        {query.error && !query.data ? (
          <Failure error={query.error} onRetry={query.refetch} />
        ) : (
          <Table
            label={t.node.byApplication}
            columns={columns}
            rows={query.data?.data}
            rowKey={(row) => row.appId}
            empty={
              <Empty icon="delivered" title={t.node.empty}>
                {t.node.emptyNote}
              </Empty>
            }
          />
        )}
      </Card>
    </Section>
  );
}

function Endpoints() {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const places = usePlaces();
  const query = api.useQuery(
    'get',
    '/api/v1/admin/queue/endpoint',
    { params: { query: { limit: 50, iterator: url.iterator } } },
    { refetchInterval: refetchMs },
  );
  const columns: Column<EndpointQueue>[] = [
    {
      id: 'endpoint',
      head: t.endpoint.endpoint,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.endpoint(row.appId, row.endpointId)} search={{ env: row.environmentId }} opens>
          {row.url ? <EndpointName url={row.url} /> : shortId(row.endpointId)}{' '}
          <span className="faint">{row.environmentId}</span>
        </Go>
      ),
    },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'line',
      cell: (row) => (
        <StateWord
          state={row.disabled ? 'held' : 'waiting'}
          word={row.disabled ? t.endpoint.standing('disabled') : undefined}
        />
      ),
    },
    {
      id: 'waiting',
      head: t.states.waiting,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.num({ count: row.waiting, isCapped: row.isCapped }),
    },
    {
      id: 'due',
      head: t.node.due,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.num({ count: row.due, isCapped: row.isCapped }),
    },
    {
      id: 'oldest',
      head: t.node.oldestDue,
      isNumber: true,
      narrow: 'end',
      cell: (row) => format.duration(Math.max(0, row.oldestAgeSeconds) * 1000),
    },
  ];
  return (
    <Section title={t.node.byEndpoint}>
      <Card label={t.node.byEndpoint}>
        {query.error && !query.data ? (
          <Failure error={query.error} onRetry={query.refetch} />
        ) : (
          <Table
            label={t.node.byEndpoint}
            columns={columns}
            rows={query.data?.data}
            rowKey={(row) => row.endpointId}
            empty={
              <Empty icon="delivered" title={t.node.empty}>
                {t.node.emptyNote}
              </Empty>
            }
          />
        )}
        <Pager page={query.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
      </Card>
    </Section>
  );
}
