// Messages, newest first, with their deliveries by state; new ones arrive live on top.
import { useEffect, useState } from 'react';
import { useLive } from '../api/live';
import type { FoundMessage } from '../api/types';
import { FilterBar } from '../design/controls/FilterBar';
import { LiveMark } from '../design/feedback/LiveMark';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { Icon } from '../design/values/Icon';
import { Id } from '../design/values/Id';
import { stateIcons } from '../design/values/states';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import './messages.css';
import { filterNames, filterOf, isFiltered, merged, useMessageSearch } from './search';

const states = ['delivered', 'in_flight', 'waiting', 'held', 'dead', 'cancelled'] as const;
const mostLive = 200;

export function MessageList({ appId, endpointId }: { appId?: string; endpointId?: string }) {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const { isPortal } = usePlaces();
  const fixed = { ...(appId && { app_id: appId }), ...(endpointId && { endpoint_id: endpointId }) };
  const filter = filterOf(url, fixed);
  const hasFilter = isFiltered(filter, fixed);
  const list = useMessageSearch(filter, url.iterator);
  const { live, waiting, status, showWaiting } = useLiveMessages(
    appId,
    endpointId,
    hasFilter || url.iterator !== undefined,
  );
  const page = list.data;
  const rows = page && merged(live, page.data);
  const clear = () => setUrl(Object.fromEntries(filterNames.map((name) => [name, undefined])));
  const columns = useColumns(appId);
  const options = states.map((value) => ({ value, label: t.states[value] }));
  return (
    <>
      <FilterBar
        values={url}
        onChange={setUrl}
        search={{ name: 'q', placeholder: t.message.search }}
        filters={[
          { name: 'state', label: t.underWay.state, options },
          { name: 'event_type', label: t.message.eventType },
          ...(appId ? [] : [{ name: 'app_id', label: t.application.application }]),
          { name: 'channel', label: t.message.channel },
          { name: 'tag', label: t.message.tag },
          { name: 'since', label: t.since },
          { name: 'until', label: t.until },
        ]}
      >
        <span className="grow" />
        <LiveMark status={status} />
      </FilterBar>
      {list.error && <ListFailure error={list.error} onRetry={list.refetch} />}
      {waiting > 0 && (
        <button type="button" className="new-rows" onClick={showWaiting}>
          {t.newRows(waiting)}
        </button>
      )}
      {(page || !list.error) && (
        <div className="card">
          <Table
            label={t.message.title}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            isNew={(row) => live.includes(row)}
            expected={12}
            empty={
              hasFilter ? (
                <NoMatch onClear={clear}>{page?.done && t.message.lookedAtAll}</NoMatch>
              ) : url.iterator ? (
                <Empty title={t.message.lookedAtAll} />
              ) : (
                <Empty
                  icon="message"
                  title={t.message.none}
                  command={isPortal ? undefined : t.message.command(appId ?? 'app_…')}
                >
                  {isPortal ? t.message.noneTenant : t.message.noneNote}
                </Empty>
              )
            }
          />
          <Pager
            page={page}
            iterator={url.iterator}
            next={t.message.older}
            note={page?.reachedAt && !page.done && t.message.lookedTo(format.moment(page.reachedAt))}
            onChange={(iterator) => setUrl({ iterator })}
          />
        </div>
      )}
    </>
  );
}

/** New messages are shown while the list is at its top, and counted while it is not. */
function useLiveMessages(appId: string | undefined, endpointId: string | undefined, isOff: boolean) {
  const [live, setLive] = useState<FoundMessage[]>([]);
  const [held, setHeld] = useState<FoundMessage[]>([]);
  const path = appId ? `/app/${appId}/live${endpointId ? `?endpoint_id=${endpointId}` : ''}` : '/live';
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins without the rows of this one.
  useEffect(() => {
    setLive([]);
    setHeld([]);
  }, [path, isOff]);
  const status = useLive(isOff ? null : path, {
    message: (event) => {
      const message = { ...event, appName: event.appName ?? event.appId };
      const add = (now: FoundMessage[]) => [message, ...now].slice(0, mostLive);
      if (window.scrollY < 80) setLive(add);
      else setHeld(add);
    },
  });
  const showWaiting = () => {
    setLive((now) => [...held, ...now].slice(0, mostLive));
    setHeld([]);
    window.scrollTo({ top: 0 });
  };
  return { live, waiting: held.length, status, showWaiting };
}

function useColumns(appId: string | undefined): Column<FoundMessage>[] {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  return [
    { id: 'time', head: t.message.accepted, narrow: 'end', cell: (row) => <Time at={row.timestamp} as="exact" /> },
    {
      id: 'type',
      head: t.message.eventType,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.message(row.appId, row.id)} opens>
          <span className="medium">{row.eventType}</span>
        </Go>
      ),
    },
    ...(appId
      ? []
      : [
          {
            id: 'application',
            head: t.application.application,
            narrow: 'line' as const,
            cell: (row: FoundMessage) => <Go to={places.application(row.appId) ?? '/'}>{row.appName}</Go>,
          },
        ]),
    {
      id: 'event',
      head: t.message.eventId,
      narrow: 'line',
      cell: (row) => row.eventId && <span className="mono dim">{row.eventId}</span>,
    },
    { id: 'id', head: t.message.id, narrow: 'line', cell: (row) => <Id id={row.id} /> },
    {
      id: 'deliveries',
      head: t.underWay.deliveries,
      isWide: true,
      narrow: 'line',
      cell: (row) => <DeliveryCounts counts={row.deliveries} />,
    },
    {
      id: 'size',
      head: t.message.size,
      isNumber: true,
      narrow: 'hidden',
      cell: (row) => (row.sizeBytes === null ? '–' : format.bytes(row.sizeBytes)),
    },
  ];
}

const counted = [
  ['dead', 'dead'],
  ['held', 'held'],
  ['waiting', 'waiting'],
  ['in_flight', 'inFlight'],
  ['cancelled', 'cancelled'],
  ['delivered', 'delivered'],
] as const;

/** What needs attention first; a state with a single delivery is told by its word alone. */
export function DeliveryCounts({ counts }: { counts: FoundMessage['deliveries'] }) {
  const t = useT();
  const shown = counted.filter(([, key]) => counts[key] > 0);
  if (shown.length === 0) return <span className="faint">{t.message.noEndpoint}</span>;
  return (
    <span className="delivery-counts">
      {shown.map(([state, key]) => (
        <span key={state} className={`state ${state}`}>
          <Icon name={stateIcons[state]} small />
          {counts[key] > 1 ? t.message.several(t.states[state], counts[key]) : t.states[state]}
        </span>
      ))}
    </span>
  );
}
