import { expect, test } from 'vitest';
import { standingOf } from './standing';

test.each([
  [{ disabled: true, pausedAt: '2026-01-01T00:00:00Z' }, null, 'disabled'],
  [{ disabled: false, pausedAt: '2026-01-01T00:00:00Z' }, '2026-01-01T00:00:00Z', 'paused'],
  [{ disabled: false, pausedAt: null }, '2026-01-01T00:00:00Z', 'failing'],
  [{ disabled: false, pausedAt: null }, null, 'active'],
])('%o failing since %s is %s', (endpoint, failingSince, kind) => {
  expect(standingOf(endpoint, failingSince).kind).toBe(kind);
});
