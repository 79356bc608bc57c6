// Background tasks: replays, recoveries, discards, erasures, counts.
import { api } from '../api/client';
import type { BackgroundTask } from '../api/types';
import { FilterBar } from '../design/controls/FilterBar';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import type { StateName } from '../design/values/states';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { ProgressBar } from './TaskProgress';

const kinds = [
  'dead_letter.replay',
  'dead_letter.discard',
  'endpoint.recover',
  'endpoint.replay_missing',
  'endpoint.bulk_replay',
  'endpoint.cancel_waiting',
  'application.purge_content',
  'application.erase',
  'message.erase',
  'tag.erase',
  'application.usage',
  'event_type.usage',
] as const;
const statuses = ['running', 'finished', 'failed'] as const;
const refetchMs = 3_000;

export function taskState(task: BackgroundTask): StateName {
  if (task.status === 'running') return 'in_flight';
  if (task.status === 'finished') return 'delivered';
  return task.canceled ? 'cancelled' : 'dead';
}

export function TasksView() {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const status = statuses.find((each) => each === url.status);
  const kind = kinds.find((each) => each === url.kind);
  const query = { limit: 50, order: 'descending' as const, iterator: url.iterator, status, kind };
  const list = api.useQuery(
    'get',
    '/api/v1/background-task',
    { params: { query: query as never } },
    { refetchInterval: refetchMs },
  );
  const columns: Column<BackgroundTask>[] = [
    {
      id: 'kind',
      head: t.task.what,
      narrow: 'lead',
      isWide: true,
      cell: (row) => (
        <Go to={`/tasks/${row.id}`} opens>
          <span className="medium">{t.task.kinds(row.kind)}</span>
        </Go>
      ),
    },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'line',
      cell: (row) => (
        <StateWord
          state={taskState(row)}
          icon={row.status === 'running' ? 'replay' : undefined}
          word={t.task.status(row.status, row.canceled)}
        />
      ),
    },
    {
      id: 'bar',
      head: t.task.progressLabel,
      narrow: 'hidden',
      cell: (row) => (
        <span className="cell-chart">
          <ProgressBar task={row} />
        </span>
      ),
    },
    {
      id: 'done',
      head: t.task.done,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.figures.of(format.number(row.progress.done), format.number(row.progress.total)),
    },
    {
      id: 'by',
      head: t.audit.who,
      narrow: 'hidden',
      cell: (row) => <span className="dim">{row.createdBy ?? '–'}</span>,
    },
    {
      id: 'created',
      head: t.created,
      isNumber: true,
      narrow: 'end',
      cell: (row) => <Time at={row.createdAt} as="moment" />,
    },
  ];
  const isFiltered = Boolean(status || kind);
  return (
    <>
      <PageHead title={t.shell.tasks}>
        <p>{t.task.note}</p>
      </PageHead>
      <FilterBar
        values={url}
        onChange={setUrl}
        filters={[
          {
            name: 'status',
            label: t.underWay.state,
            options: statuses.map((value) => ({ value, label: t.task.status(value, false) })),
          },
          { name: 'kind', label: t.task.what, options: kinds.map((value) => ({ value, label: t.task.kinds(value) })) },
        ]}
      />
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.shell.tasks}>
          <Table
            label={t.shell.tasks}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              isFiltered ? (
                <NoMatch onClear={() => setUrl({ status: undefined, kind: undefined })} />
              ) : (
                <Empty icon="task" title={t.task.none}>
                  {t.task.noneNote}
                </Empty>
              )
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
    </>
  );
}
