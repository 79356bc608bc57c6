import { expect, test } from 'vitest';
import { parseSearch, stringifySearch } from './url';

test('values stay text, and what is unset is not in the URL', () => {
  const search = stringifySearch({ status_code: '503', q: 'a b&c', state: undefined, tag: '' });
  expect(search).toBe('?status_code=503&q=a+b%26c');
  expect(parseSearch(search)).toEqual({ status_code: '503', q: 'a b&c' });
  expect(stringifySearch({})).toBe('');
});
