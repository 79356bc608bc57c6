import { expect, test } from 'vitest';
import type { Overview } from '../api/types';
import { factsOf } from './headline';

const none = { p50Ms: null, p95Ms: null, p99Ms: null };
const quiet = {
  asOf: '2026-11-26T03:12:40Z',
  pausedAt: null,
  pausedBy: null,
  lastDeliveredAt: '2026-11-26T03:12:39Z',
  accepted: 100,
  attempts: 100,
  underWay: [],
  incidents: [],
  nodes: [{}, {}, {}],
  latency: { endToEnd: { ...none, p50Ms: 84 }, receiver: none, own: none, series: [] },
} as unknown as Overview;
const receiver = { kind: 'endpoint_failing', whose: 'receiver' } as Overview['incidents'][number];
const node = { kind: 'node_stopped', whose: 'ours' } as Overview['incidents'][number];

test('nothing wrong is said as such', () => {
  expect(factsOf(quiet)).toMatchObject({ going: { kind: 'going' }, wrong: null, usualMs: 84 });
});

test('a pause matters most', () => {
  const paused = { ...quiet, pausedAt: '2026-11-26T02:50:00Z', pausedBy: 'ops', incidents: [node] };
  expect(factsOf(paused).going).toEqual({ kind: 'paused', since: '2026-11-26T02:50:00Z', by: 'ops' });
});

test('what is ours is told apart from what receivers do', () => {
  const facts = factsOf({ ...quiet, incidents: [node, receiver, receiver] });
  expect(facts.wrong).toEqual({ stoppedNodes: 1, nodes: 3, isOverdue: false, receivers: 2 });
});

test('no delivery for long while something is due is silence; without anything due it is not', () => {
  const due = {
    kind: 'due',
    count: 4,
    isCapped: false,
    oldestAt: '2026-11-26T02:40:00Z',
  } as Overview['underWay'][number];
  const long = { ...quiet, lastDeliveredAt: '2026-11-26T02:41:00Z' };
  expect(factsOf({ ...long, underWay: [due] }).going.kind).toBe('silent');
  expect(factsOf(long).going.kind).toBe('going');
});

test('our own delay is told from the receivers', () => {
  const own = { ...none, p95Ms: 9_000 };
  expect(factsOf({ ...quiet, latency: { ...quiet.latency, own } }).going).toEqual({ kind: 'slow', p95Ms: 9_000 });
  const receivers = { ...none, p95Ms: 9_000 };
  expect(factsOf({ ...quiet, latency: { ...quiet.latency, receiver: receivers } }).going.kind).toBe('going');
});

test('what waits is the sum of its kinds, and capped if one is', () => {
  const part = (kind: string, count: number, isCapped: boolean) =>
    ({ kind, count, isCapped, oldestAt: null }) as Overview['underWay'][number];
  const facts = factsOf({
    ...quiet,
    underWay: [part('due', 12, false), part('retry', 1000, true), part('held_paused', 3, false)],
  });
  expect(facts.waiting).toEqual({ count: 1012, isCapped: true });
  expect(facts.held).toEqual({ count: 3, isCapped: false });
});
