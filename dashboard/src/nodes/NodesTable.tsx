// The running processes with their heartbeats.
import type { Node } from '../api/types';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import type { StateName } from '../design/values/states';
import { useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { Go } from '../navigation/places';

const states: Record<Node['state'], StateName> = { running: 'delivered', silent: 'waiting', stopped: 'dead' };

export function NodesTable({ nodes }: { nodes: Node[] | undefined }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const columns: Column<Node>[] = [
    { id: 'node', head: t.node.node, narrow: 'lead', cell: (row) => <span className="mono">{row.name}</span> },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'end',
      cell: (row) => <StateWord state={states[row.state]} word={t.node.states[row.state]} />,
    },
    {
      id: 'beat',
      head: t.node.heartbeat,
      isNumber: true,
      narrow: 'named',
      cell: (row) => t.node.ago(format.duration(row.beatAgeSeconds * 1000)),
    },
    {
      id: 'flight',
      head: t.states.in_flight,
      isNumber: true,
      narrow: 'named',
      cell: (row) =>
        row.inFlight === null ? (
          '–'
        ) : (
          <Go to="/messages" search={{ state: 'in_flight' }}>
            {format.number(row.inFlight)}
          </Go>
        ),
    },
    {
      id: 'sent',
      head: t.node.sent,
      isNumber: true,
      narrow: 'named',
      cell: (row) => (row.sentPerSecond === null ? '–' : t.node.perSecond(format.oneDigit(row.sentPerSecond))),
    },
    {
      id: 'about',
      head: t.node.roles,
      isWide: true,
      cell: (row) => (
        <span className="dim">
          {row.takenOverBy
            ? t.node.takenOver(row.takenOverBy)
            : [row.roles.join(', '), t.node.up(format.duration(now - new Date(row.startedAt).getTime())), row.version]
                .filter(Boolean)
                .join(' · ')}
        </span>
      ),
    },
  ];
  return <Table label={t.overview.nodes} columns={columns} rows={nodes} rowKey={(row) => `${row.name} ${row.epoch}`} />;
}
