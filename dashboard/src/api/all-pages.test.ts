import { expect, test } from 'vitest';
import { allPages } from './all-pages';

test('all pages are walked, each from where the last one ended', async () => {
  const asked: (string | undefined)[] = [];
  const pages = [
    { data: [1, 2], done: false, iterator: 'b' },
    { data: [3], done: true, iterator: 'c' },
  ];
  const rows = await allPages<number>(async (iterator) => {
    asked.push(iterator);
    return { data: pages[asked.length - 1] };
  });
  expect(rows).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, 'b']);
});

test('a list that never ends is left', async () => {
  let count = 0;
  await allPages<number>(async () => {
    count += 1;
    return { data: { data: [], done: false, iterator: String(count) } };
  });
  expect(count).toBe(40);
});
