import { expect, test } from 'vitest';
import { messages } from '../i18n/en';
import { createFormat } from '../i18n/format';
import { messages as korean } from '../i18n/ko';
import { detailsOf } from './details';

const format = createFormat('en', messages.units, 'UTC');
const told = (details: Record<string, unknown>) => detailsOf({ details }, messages, format);

test('changed fields and what a task was asked are told in words', () => {
  expect(told({ fields: ['url', 'retrySchedule', 'x-tenant'] })).toBe('changed: URL, retry schedule, x-tenant');
  expect(
    told({ kind: 'dead_letter.replay', filter: { reason: 'gone', endpointId: 'ep_1' }, total: 12, note: 'mended' }),
  ).toBe('Replay of dead letters · reason Gone · endpoint ep_1 · 12 matched · “mended”');
  expect(told({ kind: 'dead_letter.discard', filter: {}, total: 1 })).toBe(
    'Discard of dead letters · all of them · 1 matched',
  );
});

test('fields, kinds and reasons are told in Korean', () => {
  const korea = (details: Record<string, unknown>) =>
    detailsOf({ details }, korean, createFormat('ko', korean.units, 'UTC'));
  expect(korea({ fields: ['eventTypes', 'maxInFlight'] })).toBe('변경: 이벤트 유형, 동시 요청 수');
  expect(korea({ kind: 'operational' })).toBe('운영 웹훅');
  expect(korea({ reason: 'gone' })).toBe('이유 410 Gone 응답');
  expect(told({ kind: 'operational' })).toBe('Operational webhooks');
});

test('what an entry says besides is told in words', () => {
  expect(told({ gracePeriodSeconds: 60 })).toBe('old secret signs along for 60 s');
  expect(told({ reason: 'gone' })).toBe('reason it answered 410 Gone');
  expect(told({ role: 'environment', name: 'billing' })).toBe('role Environment · name billing');
  expect(told({ target_changed: true })).toBe('target changed');
  expect(told({ target_changed: false })).toBe('');
});

test('whatever else is there is shown by its name', () => {
  expect(told({ novelty: 60 })).toBe('novelty 60');
  expect(told({ endpointId: 'ep_1', deliveries: 2 })).toBe('endpoint ep_1 · deliveries 2');
  expect(told({ fields: [] })).toBe('');
});
