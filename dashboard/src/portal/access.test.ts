import { expect, test } from 'vitest';
import { parseLink } from './access';

const encode = (value: unknown) => btoa(JSON.stringify(value));

test('a link carries the application and its token', () => {
  expect(parseLink(`#key=${encode({ appId: 'app_1', token: 'eyJ', serverUrl: 'https://x' })}`)).toEqual({
    appId: 'app_1',
    token: 'eyJ',
  });
});

test('Base64 with plus signs survives the fragment', () => {
  const key = btoa(JSON.stringify({ appId: 'app_1', token: '>>>???~~~' }));
  expect(parseLink(`#key=${key}`)?.token).toBe('>>>???~~~');
});

test('anything else is no link', () => {
  for (const hash of ['', '#key=', '#key=%%%', `#key=${encode({ appId: 'app_1' })}`, '#other=1'])
    expect(parseLink(hash)).toBeNull();
});
