// How an endpoint does: attempts and latency over time, what waits and why, answers, the latest attempts.
import type { Endpoint, EndpointOverview, UnderWay } from '../api/types';
import { Chart } from '../design/charts/Chart';
import { Skeleton } from '../design/feedback/Loaded';
import { Empty } from '../design/feedback/Notice';
import { Card } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';
import { latencySeries } from '../overview/Latency';
import { underWayStates } from '../overview/UnderWayTable';
import { AttemptsTable } from './AttemptsTable';
import './health.css';

interface Props {
  appId: string;
  endpoint: Endpoint;
  overview: EndpointOverview | undefined;
}

export function Health({ appId, endpoint, overview }: Props) {
  const t = useT();
  const places = usePlaces();
  if (!overview) return <Skeleton height={480} />;
  const { series, latency } = overview;
  const answered = series.failed.map((failed, place) => failed - (series.noResponse[place] ?? 0));
  return (
    <div className="stack">
      <div className="columns half tight">
        <Card title={t.usage.attempts}>
          <Chart
            label={t.usage.attempts}
            kind="bars"
            startsAt={series.startsAt}
            bucketSeconds={series.bucketSeconds}
            series={[
              { label: '2xx', colour: '--delivered-bar', values: series.delivered },
              { label: t.endpoint.otherAnswers, colour: '--dead-bar', values: answered },
              { label: t.usage.noAnswer, colour: '--cancelled-bar', values: series.noResponse },
            ]}
          />
        </Card>
        <Card title={t.latency.title} note={t.latency.ofReceiver}>
          <Chart
            label={t.latency.title}
            kind="latency"
            startsAt={series.startsAt}
            bucketSeconds={series.bucketSeconds}
            series={latencySeries(latency.series)}
          />
        </Card>
      </div>
      <WhatWaits
        underWay={overview.underWay.filter((each) => each.kind !== 'dead')}
        path={places.endpoint(appId, endpoint.id)}
      />
      <Answers overview={overview} />
      <Card
        title={t.endpoint.latest}
        end={
          <Go to={places.endpoint(appId, endpoint.id)} search={{ tab: 'attempts' }} className="link small">
            {t.endpoint.allAttempts}
          </Go>
        }
      >
        <AttemptsTable appId={appId} endpointId={endpoint.id} limit={6} />
      </Card>
    </div>
  );
}

function WhatWaits({ underWay, path }: { underWay: UnderWay[]; path: string }) {
  const t = useT();
  const format = useFormat();
  const columns: Column<UnderWay>[] = [
    {
      id: 'kind',
      head: t.underWay.state,
      narrow: 'lead',
      cell: (row) => (
        <Go to={path} search={{ tab: 'messages', state: underWayStates[row.kind] }} opens>
          <StateWord state={underWayStates[row.kind]} word={t.underWay.kinds[row.kind]} />
        </Go>
      ),
    },
    { id: 'count', head: t.underWay.deliveries, isNumber: true, narrow: 'end', cell: (row) => <b>{t.num(row)}</b> },
    {
      id: 'when',
      head: t.underWay.why,
      isWide: true,
      cell: (row) => <span className="dim">{t.underWay.whyOf(row, format)}</span>,
    },
  ];
  return (
    <Card title={t.underWay.whatWaits}>
      <Table
        label={t.underWay.whatWaits}
        columns={columns}
        rows={underWay}
        rowKey={(row) => row.kind}
        empty={
          <Empty icon="delivered" title={t.underWay.nothing}>
            {t.underWay.nothingNote}
          </Empty>
        }
      />
    </Card>
  );
}

function Answers({ overview }: { overview: EndpointOverview }) {
  const t = useT();
  const format = useFormat();
  const { attempts } = overview;
  const rows = [
    { name: '2xx', count: attempts.status2xx, state: 'delivered' },
    { name: '3xx', count: attempts.status3xx, state: 'waiting' },
    { name: '4xx', count: attempts.status4xx, state: 'waiting' },
    { name: '5xx', count: attempts.status5xx, state: 'dead' },
    { name: t.usage.noAnswer, count: attempts.noResponse, state: 'cancelled' },
  ].filter((row) => row.count > 0);
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  return (
    <Card title={t.endpoint.answers} note={t.overview.last[overview.range]}>
      {all === 0 ? (
        <Empty title={t.endpoint.noAttempts}>{t.endpoint.noAttemptsNote}</Empty>
      ) : (
        <ul className="answers">
          {rows.map((row) => (
            <li key={row.name}>
              <span className={`medium ${row.state}`}>{row.name}</span>
              <span className="answer-bar">
                <i style={{ width: `${(100 * row.count) / all}%`, background: `var(--${row.state}-bar)` }} />
              </span>
              <span className="num">{format.number(row.count)}</span>
              <span className="num dim">{format.percent(row.count / all)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
