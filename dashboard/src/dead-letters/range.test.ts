import { expect, test } from 'vitest';
import { between } from './range';

test('a range goes both ways and takes its ends in', () => {
  const keys = ['a', 'b', 'c', 'd'];
  expect(between(keys, 'b', 'd')).toEqual(['b', 'c', 'd']);
  expect(between(keys, 'd', 'b')).toEqual(['b', 'c', 'd']);
  expect(between(keys, null, 'c')).toEqual(['c']);
  expect(between(keys, 'gone', 'c')).toEqual(['c']);
});
