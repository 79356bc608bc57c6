import { expect, test } from 'vitest';
import { sparkPath } from './Sparkline';

test('a series fills the box from left to right', () => {
  expect(sparkPath([0, 10]).line).toBe('M0 27L100 1');
});

test('a gap is a gap', () => {
  const { line, area } = sparkPath([5, null, 5, 5], 10);
  expect(line.match(/M/g)).toHaveLength(2);
  expect(area.match(/Z/g)).toHaveLength(2);
});

test('charts that share a scale are comparable', () => {
  expect(sparkPath([0.5, 0.5], 1).line).toBe('M0 14L100 14');
  expect(sparkPath([2, 2], 1).line).toBe('M0 1L100 1');
});

test('nothing but gaps draws nothing', () => {
  expect(sparkPath([null, null])).toEqual({ line: '', area: '' });
});
