import { expect, test } from 'vitest';
import { headerChange } from './HeadersForm';

const before = [
  { name: 'x-tenant', value: 'a' },
  { name: 'authorization', value: '' },
];

test('a secret value that nobody touched is not sent, and so stays', () => {
  expect(headerChange(before, [...before, { name: '', value: '' }])).toEqual({ headers: {}, deleteHeaders: [] });
});

test('changed, new and removed headers are told apart', () => {
  const after = [
    { name: 'X-Tenant', value: 'b' },
    { name: ' x-new ', value: '1' },
  ];
  expect(headerChange(before, after)).toEqual({
    headers: { 'X-Tenant': 'b', 'x-new': '1' },
    deleteHeaders: ['authorization'],
  });
});
