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

test('a value between gaps is as wide as its bucket', () => {
  expect(sparkPath([null, 5, null], 10)).toEqual({ line: 'M25 14L75 14', area: 'M25 27L25 14L75 14L75 27Z' });
  expect(sparkPath([null, null, 5], 10).line).toBe('M75 14L100 14');
});

test('charts that share a scale are comparable', () => {
  expect(sparkPath([0.5, 0.5], 1).line).toBe('M0 14L100 14');
  expect(sparkPath([2, 2], 1).line).toBe('M0 1L100 1');
});

test('nothing but gaps draws nothing', () => {
  expect(sparkPath([null, null])).toEqual({ line: '', area: '' });
});
