// How English counts: a number is written with separators, one that was capped with a plus sign.
export type Count = number | { count: number; isCapped?: boolean };

const format = new Intl.NumberFormat('en');

export function num(count: Count): string {
  if (typeof count === 'number') return format.format(count);
  return format.format(count.count) + (count.isCapped ? '+' : '');
}

export function many(count: Count, one: string, others: string): string {
  const value = typeof count === 'number' ? count : count.count;
  return `${num(count)} ${value === 1 ? one : others}`;
}

export function isNone(count: Count): boolean {
  return (typeof count === 'number' ? count : count.count) === 0;
}

const small = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** Small numbers as words, as they stand in a sentence. */
export function word(count: number): string {
  return small[count] ?? num(count);
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
