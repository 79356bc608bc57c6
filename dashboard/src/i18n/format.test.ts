import { expect, test } from 'vitest';
import { units } from './en/units';
import { createFormat } from './format';
import { units as unitsKo } from './ko/units';

const format = createFormat('en', units, 'UTC');
const korean = createFormat('ko', unitsKo, 'UTC');
const now = '2026-11-26T03:12:00Z';

test.each([
  [84, '84 ms'],
  [999.7, '1 s'],
  [1900, '1.9 s'],
  [72_000, '72 s'],
  [180_000, '3 min'],
  [7_320_000, '2 h 2 min'],
  [7_200_000, '2 h'],
  [86_400_000, '24 h'],
  [61 * 3_600_000, '2 d 13 h'],
])('%d ms is written %s', (ms, text) => {
  expect(format.duration(ms)).toBe(text);
});

test('Korean writes its own units', () => {
  expect(korean.duration(7_320_000)).toBe('2시간 2분');
});

test('a share that is not whole is never shown as whole', () => {
  expect(format.percent(0.999_999)).toBe('99.99 %');
  expect(format.percent(1)).toBe('100 %');
  expect(format.percent(0.000_01)).toBe('0.1 %');
  expect(format.percent(0)).toBe('0 %');
  expect(format.percent(0.9676)).toBe('96.8 %');
});

test('a moment is as short as it can be without doubt', () => {
  expect(format.moment('2026-11-26T05:14:00Z', now)).toBe('05:14');
  expect(format.moment('2026-11-23T10:14:00Z', now)).toBe('Mon 10:14');
  expect(format.moment('2026-10-20T10:14:00Z', now)).toBe('20 Oct');
  expect(format.moment('2025-10-20T10:14:00Z', now)).toBe('20 Oct 2025');
});

test('what is long ago is told in long units', () => {
  expect(format.ago('2026-11-26T03:11:58Z', now)).toBe('now');
  expect(format.ago('2026-11-26T02:31:00Z', now)).toBe('41 minutes ago');
  expect(format.ago('2026-11-26T05:14:00Z', now)).toBe('in 2 hours');
  expect(korean.ago('2026-11-26T02:31:00Z', now)).toBe('41분 전');
});

test('sizes are binary', () => {
  expect([format.bytes(322), format.bytes(4200), format.bytes(3 * 1024 ** 2)]).toEqual(['322 B', '4.1 KiB', '3 MiB']);
});
