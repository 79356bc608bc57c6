import { expect, test } from 'vitest';
import { many as manyEn, num as numEn } from './en/words';
import { many as manyKo, particle } from './ko/words';

test('English counts one and many, and says when a count was capped', () => {
  expect(manyEn(1, 'delivery', 'deliveries')).toBe('1 delivery');
  expect(manyEn(1734, 'delivery', 'deliveries')).toBe('1,734 deliveries');
  expect(numEn({ count: 1000, isCapped: true })).toBe('1,000+');
});

test('Korean puts a counter after the number and picks particles by the last letter', () => {
  expect(manyKo(1284, '건')).toBe('1,284건');
  expect(manyKo({ count: 1000, isCapped: true }, '건')).toBe('1,000건 이상');
  expect(particle('메시지', '을', '를')).toBe('메시지를');
  expect(particle('엔드포인트', '이', '가')).toBe('엔드포인트가');
  expect(particle('이벤트 유형', '을', '를')).toBe('이벤트 유형을');
});
