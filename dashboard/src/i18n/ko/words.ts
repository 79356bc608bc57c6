// How Korean counts: no plural, a counter after the number.
import type { Count } from '../en/words';

const format = new Intl.NumberFormat('ko');

export function num(count: Count): string {
  if (typeof count === 'number') return format.format(count);
  return format.format(count.count) + (count.isCapped ? '개 이상' : '');
}

export function many(count: Count, counter: string): string {
  if (typeof count !== 'number' && count.isCapped) return `${format.format(count.count)}${counter} 이상`;
  return `${num(count)}${counter}`;
}

/** The particle after a word: `first` after a final consonant, `second` after a vowel. Latin letters and digits count as vowels. */
export function particle(word: string, first: string, second: string): string {
  const last = word.trim().charCodeAt(word.trim().length - 1);
  const isHangul = last >= 0xac00 && last <= 0xd7a3;
  return word + (isHangul && (last - 0xac00) % 28 !== 0 ? first : second);
}
