// The sentence that answers "is something wrong?", built from facts and never from a score.
import type { Overview } from '../api/types';

const slowMs = 5_000;
const silentMs = 15 * 60_000;

export type Going =
  | { kind: 'paused'; since: string; by: string | null }
  | { kind: 'silent'; since: string | null }
  | { kind: 'slow'; p95Ms: number }
  | { kind: 'idle' }
  | { kind: 'going' };

export interface Wrong {
  stoppedNodes: number;
  nodes: number;
  isOverdue: boolean;
  receivers: number;
}

export interface Facts {
  going: Going;
  wrong: Wrong | null;
  waiting: { count: number; isCapped: boolean };
  held: { count: number; isCapped: boolean };
  /** What healthy endpoints get, end to end. */
  usualMs: number | null;
}

/** First whether deliveries go out, then what is wrong, ours before receivers'. */
export function factsOf(overview: Overview): Facts {
  const receivers = overview.incidents.filter((incident) => incident.whose === 'receiver').length;
  const nodes = overview.nodes ?? [];
  const stoppedNodes = overview.incidents.filter((incident) => incident.kind === 'node_stopped').length;
  const isOverdue = overview.incidents.some((incident) => incident.kind === 'overdue');
  const wrong = { stoppedNodes, nodes: Math.max(nodes.length, stoppedNodes), isOverdue, receivers };
  return {
    going: goingOf(overview),
    wrong: receivers + stoppedNodes > 0 || isOverdue ? wrong : null,
    waiting: sumOf(overview, ['due', 'retry']),
    held: sumOf(overview, ['held_disabled', 'held_paused']),
    usualMs: overview.latency.endToEnd.p50Ms,
  };
}

function goingOf(overview: Overview): Going {
  if (overview.pausedAt) return { kind: 'paused', since: overview.pausedAt, by: overview.pausedBy };
  const due = overview.underWay.find((each) => each.kind === 'due');
  const now = new Date(overview.asOf).getTime();
  const oldestMs = due?.oldestAt ? now - new Date(due.oldestAt).getTime() : 0;
  const quietMs = overview.lastDeliveredAt
    ? now - new Date(overview.lastDeliveredAt).getTime()
    : Number.POSITIVE_INFINITY;
  if (due && due.count > 0 && oldestMs > silentMs && quietMs > silentMs)
    return { kind: 'silent', since: overview.lastDeliveredAt };
  const own = overview.latency.own.p95Ms;
  if (own !== null && own > slowMs) return { kind: 'slow', p95Ms: own };
  if (overview.accepted === 0 && overview.attempts === 0) return { kind: 'idle' };
  return { kind: 'going' };
}

function sumOf(overview: Overview, kinds: string[]): { count: number; isCapped: boolean } {
  const parts = overview.underWay.filter((each) => kinds.includes(each.kind));
  return { count: parts.reduce((sum, each) => sum + each.count, 0), isCapped: parts.some((each) => each.isCapped) };
}
