import { expect, test } from 'vitest';
import { byId } from './by-id';

const ofOne = { data: [{ id: 'a', count: 3 }] };
const id = (each: { id: string }) => each.id;

test('a row waits for its answer only while one is under way', () => {
  expect(byId({ data: undefined, isFetching: true }, id).isAwaited('a')).toBe(true);
  expect(byId({ data: undefined, isFetching: false }, id).isAwaited('a')).toBe(false);
});

test('what was told stays while a row that came later waits', () => {
  const known = byId({ data: ofOne, isFetching: true }, id);
  expect(known.get('a')?.count).toBe(3);
  expect(known.isAwaited('a')).toBe(false);
  expect(known.isAwaited('b')).toBe(true);
});
