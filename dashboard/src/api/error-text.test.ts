import { expect, test } from 'vitest';
import { messages as en } from '../i18n/en';
import { messages as ko } from '../i18n/ko';
import { ApiError } from './error';
import { errorText } from './error-text';

const answered = (status: number, body: unknown) => new ApiError(status, body, new Headers());

test('an error is told in the language of the page, by its code', () => {
  const overloaded = answered(503, { code: 'overloaded', detail: 'Too much at once; try again in a moment.' });
  expect(errorText(overloaded, en.failure)).toBe('Too much at once; try again in a moment.');
  expect(errorText(overloaded, ko.failure)).toMatch(/^처리 중인 요청이/);
});

test('a field that is missing or of another type is told in Korean, by its kind', () => {
  const wrong = answered(422, {
    detail: [
      { loc: ['body', 'url'], msg: 'field required', type: 'missing' },
      { loc: ['body', 'name'], msg: 'may have 4 bytes at most', type: 'value_error' },
    ],
  });
  expect(errorText(wrong, en.failure)).toBe('URL: field required. Name: may have 4 bytes at most.');
  expect(errorText(wrong, ko.failure)).toBe(
    '입력한 값을 받을 수 없습니다. URL: 필수 항목입니다. 이름: may have 4 bytes at most.',
  );
});

test('a page that is not there is told as one', () => {
  const wrong = answered(422, { detail: [{ loc: ['query', 'iterator'], msg: 'may have 320 characters at most' }] });
  expect(errorText(wrong, en.failure)).toBe('There is no such page of this list.');
});

test('what depends on the input is quoted as the server tells it', () => {
  const wrong = answered(422, { detail: [{ loc: ['body', 'url'], msg: 'is not a URL' }] });
  expect(errorText(wrong, ko.failure)).toBe('입력한 값을 받을 수 없습니다. URL: is not a URL.');
  expect(errorText(new TypeError('fetch failed'), ko.failure)).toBe(ko.failure.network);
});
