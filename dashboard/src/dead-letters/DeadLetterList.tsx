// Dead letters one by one, newest first, to be selected, replayed or discarded. Shared with the portal.
import { useState } from 'react';
import { api } from '../api/client';
import type { DeadLetter } from '../api/types';
import { FilterBar } from '../design/controls/FilterBar';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { usePermissions } from '../navigation/permissions';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { BulkBar } from './BulkBar';
import { BulkPanel } from './BulkPanel';
import { bulkOf, clearedFilter, filterOf, isFiltered, type LetterFilter, queryOf, type Target } from './bulk';
import './dead-letters.css';
import { useLetterFilters } from './filters';
import { PickBox } from './PickBox';
import { useRange } from './range';
import { namedIn, nameList, toggled } from './selection';

interface Props {
  appId?: string;
  endpointId?: string;
  /** The view around it has the filters already. */
  hasOwnFilters?: boolean;
  /** The view around it says already what dead letters are. */
  isExplained?: boolean;
}

export function DeadLetterList({ appId, endpointId, hasOwnFilters, isExplained }: Props) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { may } = usePermissions();
  const fixed: LetterFilter = { ...(appId && { app_id: appId }), ...(endpointId && { endpoint_id: endpointId }) };
  const filter = { state: 'open', ...filterOf(url, fixed) };
  const list = useLetters(appId, filter, url.iterator);
  const rows = list.data?.data;
  const [selected, setSelected] = useState<ReadonlySet<string>>(() => new Set(namedIn(url.ids)));
  const extend = useRange(rows?.map((row) => row.id) ?? [], selected, setSelected);
  const canAct = may('CreateAttempts');
  const filters = useLetterFilters(Object.keys(fixed));
  const ids = namedIn(url.ids);
  const targets: Target[] =
    ids.length > 0
      ? [
          {
            filter: { ids, state: filter.state === 'discarded' ? 'discarded' : undefined },
            label: t.count.deadLetters(ids.length),
          },
        ]
      : [
          {
            filter: bulkOf(filter),
            label: isFiltered(filter, fixed) ? t.deadLetters.allMatching : t.deadLetters.allOpen,
          },
        ];
  const pick: Column<DeadLetter> = {
    id: 'pick',
    head: (
      <PickBox
        label={t.deadLetters.selectAll}
        isOn={Boolean(rows?.length) && rows?.every((row) => selected.has(row.id)) === true}
        isPart={selected.size > 0}
        onChange={() => setSelected((now) => (now.size > 0 ? new Set() : new Set(rows?.map((row) => row.id))))}
      />
    ),
    narrow: 'first',
    cell: (row) => (
      <PickBox
        label={row.id}
        isOn={selected.has(row.id)}
        onChange={(isRange) => (isRange ? extend(row.id) : setSelected((now) => toggled(now, row.id)))}
      />
    ),
  };
  const columns = useColumns(appId, endpointId);
  return (
    <>
      {!hasOwnFilters && <FilterBar values={url} onChange={setUrl} filters={filters} />}
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <div className="card">
          <Table
            label={t.deadLetters.title}
            columns={canAct && filter.state !== 'replayed' ? [pick, ...columns] : columns}
            rows={rows}
            rowKey={(row) => row.id}
            isSelected={(row) => selected.has(row.id)}
            expected={8}
            empty={
              isFiltered(filter, fixed) || url.state ? (
                <NoMatch onClear={() => setUrl(clearedFilter())} />
              ) : (
                <Empty icon="deadLetter" title={t.deadLetters.none}>
                  {!isExplained && t.deadLetters.noneNote}
                </Empty>
              )
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </div>
      )}
      {selected.size > 0 && (
        <BulkBar
          count={selected.size}
          onClear={() => setSelected(new Set())}
          onAct={(panel) => setUrl({ panel, ids: nameList(selected) })}
        />
      )}
      <BulkPanel
        act={url.panel === 'discard' ? 'discard' : 'replay'}
        appId={appId}
        isOpen={canAct && (url.panel === 'replay' || url.panel === 'discard')}
        targets={targets}
        onClose={() => setUrl({ panel: undefined, ids: undefined })}
        onDone={() => setSelected(new Set())}
      />
    </>
  );
}

function useLetters(appId: string | undefined, filter: LetterFilter, iterator: string | undefined) {
  const { app_id: _application, ...own } = queryOf(filter);
  const page = { limit: 50, order: 'descending' as const, iterator };
  const ofTenant = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/dead-letter',
    { params: { path: { app_id: appId ?? '' }, query: { ...own, ...page } } },
    { enabled: appId !== undefined },
  );
  const ofAll = api.useQuery(
    'get',
    '/api/v1/dead-letter',
    { params: { query: { ...queryOf(filter), ...page } } },
    { enabled: appId === undefined },
  );
  return appId === undefined ? ofAll : ofTenant;
}

function useColumns(appId: string | undefined, endpointId: string | undefined): Column<DeadLetter>[] {
  const t = useT();
  const places = usePlaces();
  return [
    {
      id: 'type',
      head: t.message.eventType,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.deadLetter(row.id)} opens>
          {row.eventType}
        </Go>
      ),
    },
    {
      id: 'event',
      head: t.message.eventId,
      narrow: 'line',
      cell: (row) => row.eventId && <span className="mono dim">{row.eventId}</span>,
    },
    ...(appId || endpointId
      ? []
      : [
          {
            id: 'application',
            head: t.application.application,
            narrow: 'line' as const,
            cell: (row: DeadLetter) => <Go to={places.application(row.appId) ?? '/'}>{row.appName}</Go>,
          },
        ]),
    ...(endpointId
      ? []
      : [
          {
            id: 'endpoint',
            head: t.endpoint.endpoint,
            isWide: true,
            narrow: 'line' as const,
            cell: (row: DeadLetter) => (
              <Go to={places.endpoint(row.appId, row.endpointId)}>
                <EndpointName url={row.endpointUrl} />
              </Go>
            ),
          },
        ]),
    { id: 'reason', head: t.deadLetters.reason, narrow: 'line', cell: (row) => <LetterReason letter={row} /> },
    {
      id: 'answer',
      head: t.deadLetters.lastAnswer,
      narrow: 'line',
      cell: (row) => <span className="dim">{t.answer(row.lastStatusCode, row.lastFailure)}</span>,
    },
    {
      id: 'died',
      head: t.deadLetters.died,
      isNumber: true,
      narrow: 'end',
      cell: (row) => <Time at={row.diedAt} as="exact" />,
    },
  ];
}

export function LetterReason({ letter }: { letter: DeadLetter }) {
  const t = useT();
  if (letter.state === 'replayed')
    return <StateWord state="in_flight" icon="replay" word={t.deadLetters.states.replayed} />;
  if (letter.state === 'discarded') return <StateWord state="cancelled" word={t.deadLetters.states.discarded} />;
  return <StateWord state="dead" word={t.deadLetters.reasonOf(letter.reason, letter.attemptsMade)} />;
}
