// The catalogue of event types: what is published, how much, and who listens.
import { byId } from '../api/by-id';
import { api } from '../api/client';
import type { EventType } from '../api/types';
import { Sparkline } from '../design/charts/Sparkline';
import { Button } from '../design/controls/Button';
import { FilterBar } from '../design/controls/FilterBar';
import { LateLine } from '../design/feedback/Loaded';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { Tag } from '../design/values/State';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { EventTypeForm } from './EventTypeForm';
import { ImportForm } from './ImportForm';

export function EventTypesView() {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const places = usePlaces();
  const query = {
    limit: 100,
    iterator: url.iterator,
    q: url.q,
    include_archived: url.archived === 'true',
    with_content: true,
  };
  const list = api.useQuery('get', '/api/v1/event-type', { params: { query } });
  const stats = api.useQuery(
    'get',
    '/api/v1/stats/event-types',
    { params: { query: { range: '24h' } } },
    { enabled: !places.isPortal },
  );
  const counts = byId(stats, (each) => each.name);
  const everything = stats.data?.endpointsOfEverything;
  const isAwaited = () => stats.isPending;
  const statColumns: Column<EventType>[] = [
    {
      id: 'listeners',
      head: t.eventTypes.listeners,
      isNumber: true,
      narrow: 'named',
      isAwaited,
      cell: (row) =>
        everything === undefined ? '–' : format.number((counts.get(row.name)?.endpoints ?? 0) + everything),
    },
    {
      id: 'chart',
      head: t.worst.last24h,
      narrow: 'hidden',
      isAwaited,
      cell: (row) => (
        <span className="cell-chart">
          <Sparkline values={counts.get(row.name)?.series ?? []} state="cancelled" />
        </span>
      ),
    },
    {
      id: 'accepted',
      head: t.figures.accepted,
      isNumber: true,
      narrow: 'named-end',
      isAwaited,
      cell: (row) =>
        stats.data ? (
          <Go to="/messages" search={{ event_type: row.name }}>
            {format.number(counts.get(row.name)?.accepted ?? 0)}
          </Go>
        ) : (
          '–'
        ),
    },
  ];
  const columns: Column<EventType>[] = [
    {
      id: 'name',
      head: t.name,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.eventType(row.name)} opens>
          <span className="medium">{row.name}</span>
        </Go>
      ),
    },
    {
      id: 'description',
      head: t.endpoint.description,
      isWide: true,
      narrow: 'line',
      cell: (row) => <span className="dim">{row.description}</span>,
    },
    {
      id: 'group',
      head: t.eventTypes.group,
      narrow: 'hidden',
      cell: (row) => row.groupName && <Tag>{row.groupName}</Tag>,
    },
    {
      id: 'state',
      head: '',
      narrow: 'end',
      cell: (row) =>
        row.archived ? (
          <Tag>{t.eventTypes.archived}</Tag>
        ) : row.deprecated ? (
          <Tag>{t.eventTypes.deprecated}</Tag>
        ) : null,
    },
    ...(places.isPortal ? [] : statColumns),
  ];
  return (
    <>
      <PageHead
        title={t.eventTypes.title}
        actions={
          !places.isPortal && (
            <>
              <Button onClick={() => setUrl({ panel: 'import' })}>{t.eventTypes.import}</Button>
              <Button kind="primary" icon="plus" onClick={() => setUrl({ panel: 'new' })}>
                {t.eventTypes.create}
              </Button>
            </>
          )
        }
      >
        {places.isPortal ? (
          <p>{t.eventTypes.noteTenant}</p>
        ) : (
          <LateLine
            text={everything === undefined ? undefined : t.eventTypes.note(everything)}
            isAwaited={stats.isPending}
          />
        )}
      </PageHead>
      <FilterBar
        values={url}
        onChange={setUrl}
        search={{ name: 'q', placeholder: t.eventTypes.search }}
        filters={
          places.isPortal
            ? []
            : [
                {
                  name: 'archived',
                  label: t.eventTypes.archived,
                  options: [{ value: 'true', label: t.eventTypes.shown }],
                },
              ]
        }
      />
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.eventTypes.title}>
          <Table
            label={t.eventTypes.title}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.name}
            expected={8}
            empty={
              url.q ? (
                <NoMatch onClear={() => setUrl({ q: undefined })} />
              ) : (
                <Empty
                  icon="eventType"
                  title={t.eventTypes.none}
                  action={
                    !places.isPortal && <Button onClick={() => setUrl({ panel: 'new' })}>{t.eventTypes.create}</Button>
                  }
                >
                  {t.eventTypes.noneNote}
                </Empty>
              )
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
      {!places.isPortal && (
        <>
          <EventTypeForm isOpen={url.panel === 'new'} onClose={() => setUrl({ panel: undefined })} />
          <ImportForm isOpen={url.panel === 'import'} onClose={() => setUrl({ panel: undefined })} />
        </>
      )}
    </>
  );
}
