// The attempts of an endpoint, newest first.
import { api } from '../api/client';
import type { Attempt } from '../api/types';
import { Empty } from '../design/feedback/Notice';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { AttemptAnswer } from '../design/values/AttemptAnswer';
import { Id } from '../design/values/Id';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';

interface Props {
  appId: string;
  endpointId: string;
  limit?: number;
  hasPages?: boolean;
}

const refetchMs = 5_000;

export function AttemptsTable({ appId, endpointId, limit = 50, hasPages }: Props) {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  const [url, setUrl] = useUrl();
  const iterator = hasPages ? url.iterator : undefined;
  const list = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}',
    {
      params: {
        path: { app_id: appId, endpoint_id: endpointId },
        query: { limit, iterator, with_content: false, with_msg: true },
      },
    },
    { refetchInterval: iterator ? false : refetchMs },
  );
  const columns: Column<Attempt>[] = [
    {
      id: 'time',
      head: t.attempt.time,
      narrow: 'end',
      cell: (row) => (
        <span className="mono dim">
          <Time at={row.timestamp} as={hasPages ? 'exact' : 'clock'} />
        </span>
      ),
    },
    {
      id: 'type',
      head: t.message.eventType,
      narrow: 'lead',
      cell: (row) => <span className="medium">{row.msg?.eventType}</span>,
    },
    {
      id: 'message',
      head: t.message.message,
      narrow: 'line',
      cell: (row) => (
        <Go to={places.message(appId, row.msgId)} search={{ attempt: row.id }} opens>
          <Id id={row.msgId} noCopy />
        </Go>
      ),
    },
    { id: 'number', head: t.attempt.attempt, isNumber: true, narrow: 'named', cell: (row) => row.attemptNumber },
    {
      id: 'answer',
      head: t.attempt.answer,
      narrow: 'line',
      cell: (row) => <AttemptAnswer attempt={row} />,
    },
    {
      id: 'took',
      head: t.attempt.took,
      isNumber: true,
      narrow: 'named',
      cell: (row) => format.duration(row.responseDurationMs),
    },
  ];
  if (list.error && !list.data) return <ListFailure error={list.error} onRetry={list.refetch} />;
  return (
    <>
      <Table
        label={t.endpoint.latest}
        columns={columns}
        rows={list.data?.data}
        rowKey={(row) => row.id}
        expected={limit > 10 ? 10 : limit}
        empty={<Empty title={t.endpoint.noAttempts}>{t.endpoint.noAttemptsNote}</Empty>}
      />
      {hasPages && <Pager page={list.data} iterator={url.iterator} onChange={(next) => setUrl({ iterator: next })} />}
    </>
  );
}
