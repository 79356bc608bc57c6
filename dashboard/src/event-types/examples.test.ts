import { expect, test } from 'vitest';
import { examplesOf } from './examples';

test('examples of all versions are found, and odd schemas give none', () => {
  expect(examplesOf({ 1: { examples: [{ a: 1 }] }, 2: { example: { b: 2 } }, 3: true })).toEqual([{ a: 1 }, { b: 2 }]);
  expect(examplesOf(null)).toEqual([]);
  expect(examplesOf({ 1: null })).toEqual([]);
});
