import { expect, test } from 'vitest';
import { messages } from '../i18n/en';
import { createFormat } from '../i18n/format';
import { messages as korean } from '../i18n/ko';
import { detailsOf } from './details';

const format = createFormat('en', messages.units, 'UTC');
const told = (details: Record<string, unknown>) => detailsOf({ details }, messages, format);

test('changed fields and what a task was asked are told in words', () => {
  expect(told({ fields: ['url', 'description'] })).toBe('changed: url, description');
  expect(
    told({ kind: 'dead_letter.replay', filter: { reason: 'gone', endpointId: 'ep_1' }, total: 12, note: 'mended' }),
  ).toBe('Replay of dead letters · reason Gone · endpoint ep_1 · 12 matched · “mended”');
  expect(told({ kind: 'dead_letter.discard', filter: {}, total: 1 })).toBe(
    'Discard of dead letters · all of them · 1 matched',
  );
});

test('what an entry says besides is told in words, in the language of the page', () => {
  expect(told({ gracePeriodSeconds: 60 })).toBe('old secret signs along for 60 s');
  expect(told({ reason: 'gone' })).toBe('reason it answered 410 Gone');
  expect(told({ role: 'environment', name: 'billing' })).toBe('role Environment · name billing');
  expect(told({ target_changed: true })).toBe('target changed');
  expect(told({ target_changed: false })).toBe('');
  expect(detailsOf({ details: { reason: 'gone' } }, korean, createFormat('ko', korean.units, 'UTC'))).toBe(
    '이유 410 Gone 응답',
  );
});

test('whatever else is there is shown by its name', () => {
  expect(told({ novelty: 60 })).toBe('novelty 60');
  expect(told({ endpointId: 'ep_1', deliveries: 2 })).toBe('endpoint ep_1 · deliveries 2');
  expect(told({ fields: [] })).toBe('');
});
