import { expect, test } from 'vitest';
import { endpointName } from './name';

test.each([
  ['https://hooks.northwind.example/ledger', 'hooks.northwind.example/ledger'],
  ['https://webhook.mirae.example/%EA%B2%B0%EC%A0%9C', 'webhook.mirae.example/결제'],
  ['http://127.0.0.1:8080/', '127.0.0.1:8080'],
  ['https://a.example/?x=1', 'a.example/?x=1'],
  ['https://a.example/%ZZ', 'a.example/%ZZ'],
  ['not a url', 'not a url'],
])('%s is called %s', (url, name) => {
  expect(endpointName(url)).toBe(name);
});
