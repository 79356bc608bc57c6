import { expect, test } from 'vitest';
import { conditionKinds, conditionOf, fieldsOf, mostOf, numbersFor } from './condition';

test('a condition has the numbers of its kind and no others', () => {
  const numbers = { count: '3', minutes: 15, percent: 50 };
  expect(conditionOf('dead_letters', numbers)).toEqual({ kind: 'dead_letters', count: 3, minutes: 15 });
  expect(conditionOf('queue_age', numbers)).toEqual({ kind: 'queue_age', minutes: 15 });
});

test('another kind keeps what it has in common with the one before', () => {
  expect(numbersFor('failure_share', { count: 3, minutes: 15 })).toEqual({ percent: 10, attempts: 20, minutes: 15 });
});

test('every kind begins with numbers within its bounds', () => {
  for (const kind of conditionKinds) {
    const numbers = numbersFor(kind, {});
    for (const field of fieldsOf(kind)) {
      expect(Number(numbers[field])).toBeGreaterThan(0);
      expect(Number(numbers[field])).toBeLessThanOrEqual(mostOf(kind, field));
    }
  }
});
