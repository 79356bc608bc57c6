import { expect, test } from 'vitest';
import { parseSchedule } from './EndpointForm';

test('a schedule is read as it is typed, and nothing means the one above', () => {
  expect(parseSchedule('60, 300 1800,,7200')).toEqual([60, 300, 1800, 7200]);
  expect(parseSchedule('  ')).toBeNull();
});
