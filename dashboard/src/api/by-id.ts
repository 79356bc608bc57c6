// What a second question tells of each row that a first one brought.
import type { UseQueryResult } from '@tanstack/react-query';

export interface ById<Value> {
  get: (id: string) => Value | undefined;
  /** Its answer is under way; not so if it failed. */
  isAwaited: (id: string) => boolean;
}

type Asked<Value> = Pick<UseQueryResult<{ data: Value[] }, unknown>, 'data' | 'isFetching'>;

/** `idOf` tells which row it is of. What an earlier answer told stays until the next one is there. */
export function byId<Value>({ data, isFetching }: Asked<Value>, idOf: (value: Value) => string): ById<Value> {
  const values = new Map(data?.data.map((each) => [idOf(each), each]));
  return { get: (id) => values.get(id), isAwaited: (id) => isFetching && !values.has(id) };
}
