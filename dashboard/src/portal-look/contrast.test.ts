import { expect, test } from 'vitest';
import { contrast } from './contrast';

test('contrast is that of the guidelines, whichever colour comes first', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  expect(contrast('#ffffff', '#767676')).toBeCloseTo(4.54, 2);
  expect(contrast('#3a4fd0', '#3a4fd0')).toBe(1);
});
