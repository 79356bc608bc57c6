import { expect, test } from 'vitest';
import { ApiError, isStatus } from './error';

test('a sentence of the server is shown as it is, with its code and request id', () => {
  const headers = new Headers({ 'x-request-id': 'req_1', 'retry-after': '7' });
  const error = new ApiError(503, { code: 'unavailable', detail: 'The database does not answer.' }, headers);
  expect(error.message).toBe('The database does not answer.');
  expect([error.code, error.requestId, error.retryAfterSeconds]).toEqual(['unavailable', 'req_1', 7]);
  expect(isStatus(error, 503)).toBe(true);
});

test('fields that do not validate are found by their names', () => {
  const detail = [{ loc: ['body', 'url'], msg: 'is not a URL', type: 'url' }];
  const error = new ApiError(422, { detail }, new Headers());
  expect(error.field('url')).toBe('is not a URL');
  expect(error.field('name')).toBeUndefined();
  expect(error.message).toBe('url: is not a URL.');
});

test('an answer without a body is still an error', () => {
  expect(new ApiError(502, undefined, new Headers()).code).toBe('unknown');
});
