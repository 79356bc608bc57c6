import { expect, test } from 'vitest';
import type { Attempt, Delivery } from '../api/types';
import { inOrder, lifeOf, wasSentAgain } from './life';

const accepted = '2026-11-26T02:31:06Z';
const now = new Date('2026-11-26T03:12:00Z').getTime();
const delivery = (change: Partial<Delivery>) =>
  ({
    endpointId: 'ep_1',
    state: 'waiting',
    nextAttemptAt: null,
    laterAttemptsAt: [],
    why: { at: null },
    ...change,
  }) as Delivery;
const attempt = (time: string, status = 2, endpointId = 'ep_1') => ({ endpointId, timestamp: time, status }) as Attempt;

test('the past lies left of now, the future right of it, in order and apart', () => {
  const life = lifeOf(
    accepted,
    [
      delivery({
        nextAttemptAt: '2026-11-26T05:14:00Z',
        laterAttemptsAt: ['2026-11-26T11:10:00Z', '2026-11-27T11:10:00Z'],
      }),
    ],
    ['02:31:06', '02:32:08', '02:36:58', '03:08:11'].map((clock) => attempt(`2026-11-26T${clock}Z`)),
    now,
  );
  const places = life.lanes[0]?.marks.map((mark) => mark.at) ?? [];
  expect(life.now).toBe(45);
  expect(places.filter((place) => place < life.now)).toHaveLength(4);
  expect(places.filter((place) => place > life.now)).toHaveLength(3);
  for (const [index, place] of places.entries()) {
    const before = places[index - 1];
    if (before !== undefined) expect(place - before).toBeGreaterThanOrEqual(4.9);
  }
  expect(Math.max(...places)).toBeLessThanOrEqual(98);
});

test('many attempts within a second are still apart and within the strip', () => {
  const burst = Array.from({ length: 12 }, (_, place) => attempt(`2026-11-26T02:31:06.${100 + place}Z`));
  const life = lifeOf(accepted, [delivery({})], burst, now);
  const places = life.lanes[0]?.marks.map((mark) => mark.at) ?? [];
  expect(new Set(places).size).toBe(12);
  expect(Math.min(...places)).toBeGreaterThan(0);
  expect(Math.max(...places)).toBeLessThanOrEqual(100);
});

test('a message that is done has no now', () => {
  const life = lifeOf(accepted, [delivery({ state: 'delivered' })], [attempt('2026-11-26T02:31:06.200Z', 0)], now);
  expect(life.ticks.some((tick) => tick.kind === 'now')).toBe(false);
  expect(life.lanes[0]?.marks[0]?.kind).toBe('delivered');
});

test('what is held shows where it was held', () => {
  const held = delivery({ state: 'held', why: { at: '2026-11-26T02:31:06.300Z' } as Delivery['why'] });
  expect(lifeOf(accepted, [held], [], now).lanes[0]?.marks[0]?.kind).toBe('held');
  const before = delivery({ state: 'held', why: { at: '2026-11-25T21:12:00Z' } as Delivery['why'] });
  expect(lifeOf(accepted, [before], [], now).lanes[0]?.marks[0]?.at).toBe(5);
});

test('a resend is told from retries, and from a refusal that does not count', () => {
  const made = (attemptNumber: number, triggerType: 0 | 1, second: number) =>
    ({ ...attempt(`2026-11-26T02:31:0${second}Z`), attemptNumber, triggerType }) as Attempt;
  expect(wasSentAgain(inOrder([made(1, 1, 3), made(2, 0, 2), made(1, 0, 1)]))).toBe(true);
  expect(wasSentAgain(inOrder([made(2, 0, 2), made(1, 0, 1)]))).toBe(false);
  expect(wasSentAgain(inOrder([made(1, 0, 2), made(1, 0, 1)]))).toBe(false);
  expect(wasSentAgain(inOrder([made(1, 1, 1)]))).toBe(false);
});
