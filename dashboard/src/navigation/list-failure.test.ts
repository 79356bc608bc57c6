import { expect, test } from 'vitest';
import { ApiError, mayPass, refusedParameters } from '../api/error';
import { urlNames } from './ListFailure';

const refused = (...names: string[]) => {
  const detail = names.map((name) => ({ loc: ['query', name], msg: 'is wrong', type: 'value_error' }));
  return new ApiError(422, { detail }, new Headers());
};

test('what the server refused of the URL is what leaves it', () => {
  const inUrl = ['iterator', 'event_type', 'tab'];
  expect(urlNames(refusedParameters(refused('iterator')), inUrl)).toEqual(['iterator']);
  expect(urlNames(refusedParameters(refused('event_types')), inUrl)).toEqual(['event_type']);
  expect(urlNames(refusedParameters(refused('limit')), inUrl)).toEqual([]);
  expect(urlNames(refusedParameters(new ApiError(404, {}, new Headers())), inUrl)).toEqual([]);
});

test('trying again is for what may pass', () => {
  for (const status of [408, 429, 500, 503]) expect(mayPass(new ApiError(status, {}, new Headers()))).toBe(true);
  for (const status of [400, 403, 404, 422]) expect(mayPass(new ApiError(status, {}, new Headers()))).toBe(false);
  expect(mayPass(new TypeError('the network'))).toBe(true);
});
