import { expect, test } from 'vitest';
import { keepsPage, parseSearch, stringifySearch } from './url';

test('values stay text, and what is unset is not in the URL', () => {
  const search = stringifySearch({ status_code: '503', q: 'a b&c', state: undefined, tag: '' });
  expect(search).toBe('?status_code=503&q=a+b%26c');
  expect(parseSearch(search)).toEqual({ status_code: '503', q: 'a b&c' });
  expect(stringifySearch({})).toBe('');
});

test('what opens beside a list leaves its page; filters and what is new go to the first', () => {
  expect(keepsPage({ panel: 'replay', ids: 'dl_1' })).toBe(true);
  expect(keepsPage({ revoke: undefined })).toBe(true);
  expect(keepsPage({ panel: 'new' })).toBe(false);
  expect(keepsPage({ state: 'dead' })).toBe(false);
  expect(keepsPage({ panel: undefined, q: 'x' })).toBe(false);
});
