import { expect, test } from 'vitest';
import { messages } from '../i18n/en';
import { createFormat } from '../i18n/format';
import { messages as korean } from '../i18n/ko';
import { askedIn } from './asked';

const format = createFormat('en', messages.units, 'UTC');

test('a filter is told in words', () => {
  const filter = {
    appId: 'app_1',
    reason: 'exhausted',
    statusCode: 503,
    since: '2026-01-31T12:00:00Z',
    oldestFirst: true,
    toEndpointId: null,
  };
  const told = askedIn(filter, messages, format);
  expect(told).toBe(
    'application app_1 · reason All attempts failed · last status 503 · since Sat, 31 Jan 2026, 12:00:00 · oldest first',
  );
  expect(askedIn({ ids: ['dl_1', 'dl_2'] }, messages, format)).toBe('chosen ones 2');
  expect(askedIn({ status: 3, statusCodeClass: 0, eventTypes: ['a', 'b'] }, messages, format)).toBe(
    'deliveries that wait to be tried again · last answer no answer · event types a, b',
  );
  expect(askedIn({}, messages, format)).toBe('all of them');
});

test('what no word is known for is shown as it is', () => {
  expect(askedIn({ later: 7 }, messages, format)).toBe('later 7');
  expect(askedIn({ state: 'discarded' }, korean, createFormat('ko', korean.units, 'UTC'))).toBe('상태 폐기됨');
});
