// What is under way now, by state and reason.
import type { UnderWay } from '../api/types';
import { Empty } from '../design/feedback/Notice';
import { Section } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import type { StateName } from '../design/values/states';
import { useNow } from '../design/values/Time';
import { endpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';

export const underWayStates: Record<UnderWay['kind'], StateName> = {
  in_flight: 'in_flight',
  due: 'waiting',
  retry: 'waiting',
  held_disabled: 'held',
  held_paused: 'held',
  dead: 'dead',
};

export function UnderWayTable({ underWay }: { underWay: UnderWay[] }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const places = usePlaces();
  const columns: Column<UnderWay>[] = [
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'lead',
      cell: (row) => (
        <Go
          to={row.kind === 'dead' ? '/dead-letters' : '/messages'}
          search={row.kind === 'dead' ? {} : { state: underWayStates[row.kind] }}
          opens
        >
          <StateWord state={underWayStates[row.kind]} word={t.underWay.kinds[row.kind]} />
        </Go>
      ),
    },
    { id: 'count', head: t.underWay.deliveries, isNumber: true, narrow: 'end', cell: (row) => <b>{t.num(row)}</b> },
    {
      id: 'oldest',
      head: t.underWay.oldest,
      isNumber: true,
      narrow: 'named',
      cell: (row) => row.oldestAt && format.duration(Math.max(0, now - new Date(row.oldestAt).getTime())),
    },
    {
      id: 'why',
      head: t.underWay.why,
      isWide: true,
      cell: (row) =>
        row.examples.length === 0 ? (
          <span className="dim">
            {row.kind === 'in_flight' ? t.underWay.requestsOut : row.kind === 'due' ? t.underWay.aboutToGo : ''}
          </span>
        ) : (
          row.examples.map((example, place) => (
            <span key={example.endpointId} className="dim">
              {place > 0 && ' · '}
              <Go to={places.endpoint(example.appId, example.endpointId)} title={endpointName(example.url)}>
                {row.endpoints > 1 && `${t.num(example)} `}
                {example.appName}
              </Go>
              {place === row.examples.length - 1 &&
                row.endpoints > row.examples.length &&
                ` · ${t.underWay.others(row.endpoints - row.examples.length)}`}
            </span>
          ))
        ),
    },
  ];
  return (
    <Section title={t.underWay.title} end={t.underWay.now}>
      <div className="card">
        <Table
          label={t.underWay.title}
          columns={columns}
          rows={underWay}
          rowKey={(row) => row.kind}
          empty={
            <Empty icon="delivered" title={t.underWay.nothing}>
              {t.underWay.nothingNote}
            </Empty>
          }
        />
      </div>
    </Section>
  );
}
