import { expect, test } from 'vitest';
import type { Delivery } from '../api/types';
import { messages as en } from './en';
import { createFormat } from './format';
import { messages as ko } from './ko';

const accepted = '2026-11-26T02:31:06Z';
const now = new Date('2026-11-26T03:12:00Z').getTime();
const delivery = (change: Partial<Delivery>) =>
  ({ attemptsMade: 0, attemptsPlanned: 4, nextAttemptAt: null, why: { code: 'in_flight' }, ...change }) as Delivery;
const told = (of: Delivery) => en.why.delivery(of, accepted, createFormat('en', en.units, 'UTC'), now, false);

test('what a node holds back for a rate limit is not told as being out', () => {
  const limited = delivery({
    state: 'in_flight',
    why: { code: 'rate_limited', at: null, by: null, heldUntil: null, ahead: { count: 395, isCapped: false } },
  });
  expect(told(limited)).toBe('**Waits for the rate limit**, behind 395 others (attempt 1 of 4).');
  expect(ko.why.delivery(limited, accepted, createFormat('ko', ko.units, 'UTC'), now, false)).toMatch(/속도 제한/);
  expect(told(delivery({ state: 'in_flight' }))).toBe('**The request is out** (attempt 1 of 4).');
});

test('what came at once and was sent again since is not told as late', () => {
  const format = createFormat('en', en.units, 'UTC');
  expect(en.why.deliveredAgain(15, 1, format)).toBe('**Delivered 15 ms after it was accepted**, and once more since.');
  expect(en.why.deliveredAgain(15, 3, format)).toMatch(/and 3 times more since/);
});

test('a task that has not counted yet does not say nought', () => {
  const progress = { done: 0, total: 0, failedAgain: 0, delivered: 0 };
  const format = createFormat('en', en.units, 'UTC');
  const task = { progress, data: { ratePerSecond: 5 }, status: 'running' };
  expect(en.task.progress(task, format)).toBe('being counted · 5 a second');
  expect(en.task.progress({ ...task, status: 'finished' }, format)).toBe('0 of 0 · 5 a second');
});
