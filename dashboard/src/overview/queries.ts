// The overview, asked again every few seconds; navigation and view share one answer.
import { api } from '../api/client';
import type { Range } from '../api/types';

const refetchMs = 10_000;

export const ranges: Range[] = ['1h', '24h', '7d', '30d'];

export function rangeOf(value: string | undefined, known: Range[] = ranges, usual: Range = '24h'): Range {
  return known.find((range) => range === value) ?? usual;
}

export function useOverview(range: Range) {
  return api.useQuery('get', '/api/v1/overview', { params: { query: { range } } }, { refetchInterval: refetchMs });
}
