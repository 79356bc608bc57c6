import { expect, test } from 'vitest';
// Made from the server's own list of settings.
import reference from '../../../docs/reference/configuration.md?raw';
import { settingDescriptions } from '../i18n/ko/setting-descriptions';

const settings = [...reference.matchAll(/^\| `([a-z0-9_]+)`<br>/gm)].map(([, name]) => name ?? '');
/** Of debug builds alone. */
const unlisted = ['test_losses'];

test('every setting of the server is described in Korean, and no other', () => {
  expect(settings.length).toBeGreaterThan(50);
  expect([...settings, ...unlisted].sort()).toEqual(Object.keys(settingDescriptions).sort());
  for (const text of Object.values(settingDescriptions)) expect(text).not.toBe('');
});
