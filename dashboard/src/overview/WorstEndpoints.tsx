// The endpoints that fail most in the last hour. Their charts share one scale, 0 to 100 %.
import type { Capped, Schemas } from '../api/types';
import { Sparkline } from '../design/charts/Sparkline';
import { Empty } from '../design/feedback/Notice';
import { Section } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';

type Worst = Schemas['WorstEndpointOut'];

export function WorstEndpoints({ endpoints, total }: { endpoints: Worst[]; total: Capped }) {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  const columns: Column<Worst>[] = [
    {
      id: 'endpoint',
      head: t.endpoint.endpoint,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.endpoint(row.appId, row.endpointId)} opens>
          <EndpointName url={row.url} />
        </Go>
      ),
    },
    {
      id: 'application',
      head: t.application.application,
      cell: (row) => (
        <Go to={places.application(row.appId) ?? '/'} className="title dim cut worst-application">
          {row.appName}
        </Go>
      ),
    },
    {
      id: 'chart',
      head: t.worst.last24h,
      narrow: 'hidden',
      cell: (row) => (
        <span className="cell-chart">
          <Sparkline values={row.failedShares} state="dead" top={1} />
        </span>
      ),
    },
    {
      id: 'failed',
      head: t.worst.failed,
      isNumber: true,
      narrow: 'named-end',
      cell: (row) => <b>{format.percent(row.failedShare)}</b>,
    },
    {
      id: 'mostly',
      head: t.worst.mostly,
      cell: (row) => <span className="dim">{t.answer(row.lastStatusCode, row.lastFailure)}</span>,
    },
    {
      id: 'p95',
      head: 'p95',
      isNumber: true,
      narrow: 'named',
      cell: (row) => (row.p95Ms === null ? '–' : format.duration(row.p95Ms)),
    },
    {
      id: 'waiting',
      head: t.states.waiting,
      isNumber: true,
      narrow: 'named',
      cell: (row) => (
        <Go to={places.endpoint(row.appId, row.endpointId)} search={{ tab: 'messages', state: 'waiting' }}>
          {t.num(row.waiting)}
        </Go>
      ),
    },
    {
      id: 'dead',
      head: t.states.dead,
      isNumber: true,
      narrow: 'named',
      cell: (row) => (
        <Go to="/dead-letters" search={{ app_id: row.appId, endpoint_id: row.endpointId }}>
          {t.num(row.deadOpen)}
        </Go>
      ),
    },
  ];
  return (
    <div id="worst">
      <Section
        title={t.worst.title}
        note={t.worst.note}
        end={
          <Go to="/applications" className="link">
            {t.worst.all(total)}
          </Go>
        }
      >
        <div className="card">
          <Table
            label={t.worst.title}
            columns={columns}
            rows={endpoints}
            rowKey={(row) => row.endpointId}
            empty={
              <Empty icon="delivered" title={t.worst.none}>
                {t.worst.noneNote}
              </Empty>
            }
          />
        </div>
      </Section>
    </div>
  );
}
