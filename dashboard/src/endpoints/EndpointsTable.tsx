// The endpoints of an application: how each is doing and why.
import { keepPreviousData } from '@tanstack/react-query';
import { type ById, byId } from '../api/by-id';
import { api } from '../api/client';
import type { Endpoint, Sparkline as SparklineData } from '../api/types';
import { Sparkline } from '../design/charts/Sparkline';
import { Button } from '../design/controls/Button';
import { FilterBar } from '../design/controls/FilterBar';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import { useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { EndpointForm } from './forms/EndpointForm';
import { EndpointName } from './name';
import { standingOf } from './standing';

const pageSize = 50;

export function useEndpointCharts(appId: string, endpoints: Endpoint[] | undefined): ById<SparklineData> {
  const ids = endpoints?.map((endpoint) => endpoint.id).join(',') ?? '';
  const query = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/stats/sparklines',
    { params: { path: { app_id: appId }, query: { ids } } },
    { enabled: ids !== '', placeholderData: keepPreviousData },
  );
  return byId(query, (each) => each.id);
}

export function EndpointsTable({ appId }: { appId: string }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const list = api.useQuery('get', '/api/v1/app/{app_id}/endpoint', {
    params: { path: { app_id: appId }, query: { limit: pageSize, iterator: url.iterator, q: url.q } },
  });
  const charts = useEndpointCharts(appId, list.data?.data);
  const create = () => setUrl({ panel: 'new' });
  const columns = useEndpointColumns(appId, charts);
  return (
    <>
      <FilterBar filters={[]} values={url} onChange={setUrl} search={{ name: 'q', placeholder: t.endpoint.search }}>
        <span className="grow" />
        <Button icon="plus" onClick={create}>
          {t.endpoint.create}
        </Button>
      </FilterBar>
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <div className="card">
          <Table
            label={t.application.endpoints}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              url.q ? (
                <NoMatch onClear={() => setUrl({ q: undefined })} />
              ) : (
                <Empty
                  icon="external"
                  title={t.endpoint.none}
                  action={<Button onClick={create}>{t.endpoint.create}</Button>}
                >
                  {t.endpoint.noneNote}
                </Empty>
              )
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </div>
      )}
      <EndpointForm appId={appId} isOpen={url.panel === 'new'} onClose={() => setUrl({ panel: undefined })} />
    </>
  );
}

export function useEndpointColumns(appId: string, charts: ById<SparklineData>): Column<Endpoint>[] {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const places = usePlaces();
  const chart = (row: Endpoint) => charts.get(row.id);
  const isAwaited = (row: Endpoint) => charts.isAwaited(row.id);
  return [
    {
      id: 'url',
      head: 'URL',
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.endpoint(appId, row.id)} opens>
          <EndpointName url={row.url} />
        </Go>
      ),
    },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'line',
      isAwaited,
      cell: (row) => {
        const standing = standingOf(row, chart(row)?.failingSince ?? null);
        return <StateWord state={standing.state} icon={standing.icon} word={t.endpoint.standing(standing.kind)} />;
      },
    },
    {
      id: 'why',
      head: t.underWay.why,
      narrow: 'line',
      isAwaited,
      cell: (row) => <span className="dim">{t.endpoint.standingWhy(row, chart(row), format, now)}</span>,
    },
    {
      id: 'chart',
      head: t.worst.last24h,
      narrow: 'hidden',
      isAwaited,
      cell: (row) => {
        const data = chart(row);
        const isFailing = (data?.failedShare ?? 0) > 0.5;
        return (
          <span className="cell-chart">
            {data && (
              <Sparkline values={isFailing ? data.failed : data.delivered} state={isFailing ? 'dead' : 'delivered'} />
            )}
          </span>
        );
      },
    },
    {
      id: 'delivered',
      head: t.states.delivered,
      isNumber: true,
      narrow: 'named-end',
      isAwaited,
      cell: (row) => {
        const share = chart(row)?.failedShare;
        return share === null || share === undefined ? '–' : format.percent(1 - share);
      },
    },
    {
      id: 'waiting',
      head: t.states.waiting,
      isNumber: true,
      narrow: 'named',
      isAwaited,
      cell: (row) => {
        const data = chart(row);
        if (!data) return '–';
        const { waiting, held } = data;
        const state = waiting.count > 0 || held.count === 0 ? 'waiting' : 'held';
        return (
          <Go to={places.endpoint(appId, row.id)} search={{ tab: 'messages', state }} className="title">
            {t.num({ count: waiting.count + held.count, isCapped: waiting.isCapped || held.isCapped })}
          </Go>
        );
      },
    },
    {
      id: 'dead',
      head: t.states.dead,
      isNumber: true,
      narrow: 'named',
      isAwaited,
      cell: (row) => {
        const data = chart(row);
        if (!data) return '–';
        return (
          <Go
            to="/dead-letters"
            search={{ app_id: appId, endpoint_id: row.id }}
            className={data.deadOpen.count > 0 ? 'title dead' : 'title'}
          >
            {t.num(data.deadOpen)}
          </Go>
        );
      },
    },
  ];
}
