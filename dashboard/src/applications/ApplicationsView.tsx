// All applications of the environment, each with its last day at a glance.
import { keepPreviousData } from '@tanstack/react-query';
import { type ById, byId } from '../api/by-id';
import { api } from '../api/client';
import type { Application, Capped, Sparkline as SparklineData } from '../api/types';
import { Sparkline } from '../design/charts/Sparkline';
import { Button } from '../design/controls/Button';
import { FilterBar } from '../design/controls/FilterBar';
import { LateLine } from '../design/feedback/Loaded';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { StateWord, Tag } from '../design/values/State';
import type { StateName } from '../design/values/states';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { useOverview } from '../overview/queries';
import { ApplicationForm } from './ApplicationForm';

const pageSize = 50;

export function ApplicationsView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const query = { limit: pageSize, iterator: url.iterator, q: url.q };
  const list = api.useQuery('get', '/api/v1/app', { params: { query } });
  const overview = useOverview('24h');
  const ids = list.data?.data.map((application) => application.id).join(',') ?? '';
  const charts = api.useQuery(
    'get',
    '/api/v1/stats/sparklines',
    { params: { query: { kind: 'application', ids } } },
    { enabled: ids !== '', placeholderData: keepPreviousData },
  );
  const create = () => setUrl({ panel: 'new' });
  const columns = useColumns(byId(charts, (each) => each.id));
  return (
    <>
      <PageHead
        title={t.applications.title}
        actions={
          <Button kind="primary" icon="plus" onClick={create}>
            {t.applications.create}
          </Button>
        }
      >
        <LateLine
          text={overview.data && t.applications.summary(overview.data.applications, overview.data.endpoints)}
          isAwaited={overview.isPending}
        />
      </PageHead>
      <FilterBar
        filters={[]}
        values={url}
        onChange={setUrl}
        search={{ name: 'q', placeholder: t.applications.search }}
      />
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <div className="card">
          <Table
            label={t.applications.title}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            expected={8}
            empty={
              url.q ? (
                <NoMatch onClear={() => setUrl({ q: undefined })} />
              ) : (
                <Empty
                  icon="application"
                  title={t.applications.none}
                  action={<Button onClick={create}>{t.applications.create}</Button>}
                >
                  {t.applications.noneNote}
                </Empty>
              )
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </div>
      )}
      <ApplicationForm isOpen={url.panel === 'new'} onClose={() => setUrl({ panel: undefined })} />
    </>
  );
}

function useColumns(charts: ById<SparklineData>): Column<Application>[] {
  const t = useT();
  const format = useFormat();
  const chart = (row: Application) => charts.get(row.id);
  const isAwaited = (row: Application) => charts.isAwaited(row.id);
  return [
    {
      id: 'name',
      head: t.name,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <>
          <Go to={`/applications/${row.id}`} opens>
            <span className="medium">{row.name}</span>
          </Go>{' '}
          {row.uid && <span className="faint mono">{row.uid}</span>}
        </>
      ),
    },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'line',
      isAwaited,
      cell: (row) => <ApplicationState application={row} failing={chart(row)?.failingEndpoints ?? 0} />,
    },
    {
      id: 'endpoints',
      head: t.application.endpoints,
      isNumber: true,
      narrow: 'named',
      isAwaited,
      cell: (row) => chart(row)?.endpoints ?? '–',
    },
    {
      id: 'chart',
      head: t.worst.last24h,
      narrow: 'hidden',
      isAwaited,
      cell: (row) => {
        const data = chart(row);
        return (
          <span className="cell-chart">
            {data && (
              <Sparkline
                values={data.delivered.map((value, place) => value + (data.failed[place] ?? 0))}
                state="cancelled"
              />
            )}
          </span>
        );
      },
    },
    {
      id: 'failed',
      head: t.worst.failed,
      isNumber: true,
      narrow: 'named-end',
      isAwaited,
      cell: (row) => {
        const share = chart(row)?.failedShare;
        return share === null || share === undefined ? '–' : format.percent(share);
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
        return data ? <Deliveries application={row} state="waiting" count={data.waiting} /> : '–';
      },
    },
    {
      id: 'held',
      head: t.states.held,
      isNumber: true,
      narrow: 'named',
      isAwaited,
      cell: (row) => {
        const data = chart(row);
        return data ? <Deliveries application={row} state="held" count={data.held} /> : '–';
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
            search={{ app_id: row.id }}
            className={data.deadOpen.count > 0 ? 'title dead' : 'title'}
          >
            {t.num(data.deadOpen)}
          </Go>
        );
      },
    },
  ];
}

function Deliveries({ application, state, count }: { application: Application; state: StateName; count: Capped }) {
  const t = useT();
  return (
    <Go to={`/applications/${application.id}`} search={{ tab: 'messages', state }} className="title">
      {t.num(count)}
    </Go>
  );
}

function ApplicationState({ application, failing }: { application: Application; failing: number }) {
  const t = useT();
  if (application.pausedAt) return <StateWord state="held" word={t.application.paused} />;
  if (failing > 0) return <StateWord state="waiting" icon="warning" word={t.application.failing(failing)} />;
  return <StateWord state="delivered" word={t.application.active} />;
}

export function Metadata({ metadata }: { metadata: Record<string, string> }) {
  const t = useT();
  const entries = Object.entries(metadata);
  if (entries.length === 0) return <span className="faint">{t.none}</span>;
  return (
    <span className="tags">
      {entries.map(([name, value]) => (
        <Tag key={name} mono>{`${name}=${value}`}</Tag>
      ))}
    </span>
  );
}
