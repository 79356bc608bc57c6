import { expect, test, vi } from 'vitest';

vi.mock('uplot', () => ({ default: class {} }));
vi.mock('uplot/dist/uPlot.min.css', () => ({}));
const { decades, isolated, powersOfTen, stacked } = await import('./plot');

test('bars stand on one another', () => {
  expect(
    stacked([
      [1, 2],
      [3, null],
      [0, 1],
    ]),
  ).toEqual([
    [1, 2],
    [4, 2],
    [4, 3],
  ]);
});

test('a logarithmic axis has a line at each power of ten', () => {
  expect(powersOfTen(10, 10_000)).toEqual([10, 100, 1000, 10_000]);
});

test('a logarithmic scale has whole decades, two at least', () => {
  expect(decades(84, 1900)).toEqual([10, 10_000]);
  expect(decades(100, 120)).toEqual([100, 10_000]);
  expect(decades(null, null)).toEqual([1, 1000]);
});

test('a value that has none beside it is shown as a point', () => {
  expect(isolated([null, 3, null, 4, 5, null, 6])).toEqual([1, 6]);
  expect(isolated([1])).toEqual([0]);
  expect(isolated([null, 1, 2])).toEqual([]);
});
