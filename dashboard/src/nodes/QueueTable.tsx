// What is queued, by whatever the rows stand for: how much waits, how much of it is due, and for how long.
import type { ReactNode } from 'react';
import { Empty, Failure } from '../design/feedback/Notice';
import { Card, Section } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { useFormat, useT } from '../i18n';

interface Queued {
  waiting: number;
  due: number;
  isCapped: boolean;
  oldestAgeSeconds: number;
}

interface Props<Row extends Queued> {
  title: string;
  note?: string;
  query: { data: { data: Row[] } | undefined; error: unknown; refetch: () => unknown };
  rowKey: (row: Row) => string;
  /** Whose queue it is; how much there is follows. */
  columns: Column<Row>[];
  children?: ReactNode;
}

export function QueueTable<Row extends Queued>({ title, note, query, rowKey, columns, children }: Props<Row>) {
  const t = useT();
  const format = useFormat();
  const counted: Column<Row>[] = [
    {
      id: 'waiting',
      head: t.states.waiting,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.num({ count: row.waiting, isCapped: row.isCapped }),
    },
    {
      id: 'due',
      head: t.node.due,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.num({ count: row.due, isCapped: row.isCapped }),
    },
    {
      id: 'oldest',
      head: t.node.oldestDue,
      isNumber: true,
      narrow: 'named-end',
      cell: (row) => (row.due > 0 ? format.duration(Math.max(0, row.oldestAgeSeconds) * 1000) : '–'),
    },
  ];
  return (
    <Section title={title} note={note}>
      <Card label={title}>
        {query.error && !query.data ? (
          <Failure error={query.error} onRetry={query.refetch} />
        ) : (
          <Table
            label={title}
            columns={[...columns, ...counted]}
            rows={query.data?.data}
            rowKey={rowKey}
            empty={
              <Empty icon="delivered" title={t.node.empty}>
                {t.node.emptyNote}
              </Empty>
            }
          />
        )}
        {children}
      </Card>
    </Section>
  );
}
