import { expect, test } from 'vitest';
import { safeReturn } from './SignInView';

test.each([
  ['/dead-letters?state=open', '/dead-letters?state=open'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  [undefined, '/'],
])('after signing in, %s leads to %s', (wanted, target) => {
  expect(safeReturn(wanted)).toBe(target);
});
