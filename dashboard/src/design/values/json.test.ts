import { expect, test } from 'vitest';
import { payloadIn, prettyTokens, rawMember, tokensOf } from './json';

const text = (tokens: { text: string }[]) => tokens.map((token) => token.text).join('');

test('nothing is lost: the tokens are the text', () => {
  for (const sample of [
    '{"a":1,"b":[true,null,"\\u00e9\\""]}',
    ' [1.5e+10 , -0] ',
    'upstream connect error',
    '{"half": "',
    '<p>"hi</p>',
  ]) {
    expect(text(tokensOf(sample))).toBe(sample);
  }
});

test('pretty keeps big numbers, escapes and the order of keys', () => {
  const pretty = text(prettyTokens('{"z":9007199254740993,"a":"\\u00e9","list":[1,[]],"none":{}}'));
  expect(pretty).toBe(
    '{\n  "z": 9007199254740993,\n  "a": "\\u00e9",\n  "list": [\n    1,\n    []\n  ],\n  "none": {}\n}',
  );
});

test('what is not JSON is shown as it came', () => {
  expect(text(prettyTokens('not {json'))).toBe('not {json');
});

test('keys are told from strings', () => {
  const kinds = tokensOf('{"key" : "value"}').filter((token) => token.text.startsWith('"'));
  expect(kinds.map((token) => token.kind)).toEqual(['key', 'string']);
});

test('a member is cut out as it stands, and only from the outermost object', () => {
  const body = '{"tags":["payload"],"msg":{"payload":1},"payload": {"n": 1.10, "s":"}"} ,"id":"msg_1"}';
  expect(rawMember(body, 'payload')).toBe('{"n": 1.10, "s":"}"}');
  expect(rawMember(body, 'id')).toBe('"msg_1"');
  expect(rawMember(body, 'missing')).toBeNull();
});

test('a payload that is no JSON object is shown as the text that it is', () => {
  expect(payloadIn('{"payload":{},"rawPayload":"<paid/>"}')).toBe('<paid/>');
  expect(payloadIn('{"payload":{"n": 1.10},"rawPayload":null}')).toBe('{"n": 1.10}');
  expect(payloadIn('{"payload":null}')).toBeNull();
});
