import { expect, test } from 'vitest';
import type { FoundMessage } from '../api/types';
import { filterOf, isFiltered, merged } from './search';

test('what the view holds fixed wins over the URL, and is no filter of the person', () => {
  const fixed = { app_id: 'app_1' };
  const filter = filterOf({ app_id: 'app_2', state: 'held', panel: 'x' }, fixed);
  expect(filter).toEqual({ app_id: 'app_1', state: 'held' });
  expect(isFiltered(filter, fixed)).toBe(true);
  expect(isFiltered(filterOf({}, fixed), fixed)).toBe(false);
});

test('a live message that a refetch brought too is shown once', () => {
  const message = (id: string) => ({ id }) as FoundMessage;
  expect(merged([message('c'), message('b')], [message('b'), message('a')]).map((each) => each.id)).toEqual([
    'c',
    'b',
    'a',
  ]);
});
