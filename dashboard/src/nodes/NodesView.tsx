// The nodes, and the queue by tenant and by endpoint.
import { api } from '../api/client';
import { Failure } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { StateWord } from '../design/values/State';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import '../overview/overview.css';
import { NodesTable } from './NodesTable';
import { QueueTable } from './QueueTable';

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
  return (
    <QueueTable
      title={t.node.byApplication}
      note={t.node.queueNote}
      query={query}
      rowKey={(row) => row.appId}
      columns={[
        {
          id: 'application',
          head: t.application.application,
          isWide: true,
          narrow: 'lead',
          cell: (row) => (
            <Go to={places.application(row.appId) ?? '/'} search={{ env: row.environmentId }} opens>
              {row.appName} <span className="faint">{row.environmentId}</span>
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
      ]}
    />
  );
}

function Endpoints() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const places = usePlaces();
  const query = api.useQuery(
    'get',
    '/api/v1/admin/queue/endpoint',
    { params: { query: { limit: 50, iterator: url.iterator } } },
    { refetchInterval: refetchMs },
  );
  return (
    <QueueTable
      title={t.node.byEndpoint}
      query={query}
      rowKey={(row) => row.endpointId}
      columns={[
        {
          id: 'endpoint',
          head: t.endpoint.endpoint,
          isWide: true,
          narrow: 'lead',
          cell: (row) => (
            <Go to={places.endpoint(row.appId, row.endpointId)} search={{ env: row.environmentId }} opens>
              <EndpointName url={row.url} /> <span className="faint">{row.environmentId}</span>
            </Go>
          ),
        },
        {
          id: 'state',
          head: t.underWay.state,
          narrow: 'line',
          cell: (row) => (
            <StateWord
              state={row.disabled || row.paused ? 'held' : 'waiting'}
              word={
                row.disabled ? t.endpoint.standing('disabled') : row.paused ? t.endpoint.standing('paused') : undefined
              }
            />
          ),
        },
      ]}
    >
      <Pager page={query.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
    </QueueTable>
  );
}
