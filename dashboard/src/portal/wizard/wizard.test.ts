import { expect, test } from 'vitest';
import { stepOf } from './WizardView';

test('a link into the wizard never skips what has to be known first', () => {
  expect(stepOf('done', false, false)).toBe('url');
  expect(stepOf('types', false, false)).toBe('url');
  expect(stepOf('types', true, false)).toBe('types');
  expect(stepOf('test', true, false)).toBe('url');
  expect(stepOf('url', true, true)).toBe('test');
  expect(stepOf('done', false, true)).toBe('done');
});
