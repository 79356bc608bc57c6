import { expect, test } from 'vitest';
import { bulkOf, filterOf, isFiltered, keyedRate, type Preview, rateLimitOf, summed } from './bulk';

const target = (endpointId: string, count: number, rateLimit: number | null) =>
  ({ endpointId, count, rateLimit }) as Preview['endpoints'][number];
const part = (count: number, names: [string, number][], endpoints: Preview['endpoints']): Preview => ({
  dryRun: true,
  count,
  isCapped: false,
  lookedAt: count,
  skipped: [{ reason: 'endpoint_deleted', count: 1 }],
  eventTypes: names.map(([name, of]) => ({ name, count: of })),
  endpoints,
});

test('previews of several groups are shown as one, the largest first', () => {
  const all = summed([
    part(
      3,
      [
        ['a', 1],
        ['b', 2],
      ],
      [target('ep_1', 3, 50)],
    ),
    part(4, [['a', 4]], [target('ep_2', 4, 10)]),
  ]);
  expect(all.count).toBe(7);
  expect(all.eventTypes).toEqual([
    { name: 'a', count: 5 },
    { name: 'b', count: 2 },
  ]);
  expect(all.skipped).toEqual([{ reason: 'endpoint_deleted', count: 2 }]);
  expect(rateLimitOf(all)).toBe(60);
});

test('one endpoint without a limit means no limit', () => {
  expect(rateLimitOf(part(1, [], [target('ep_1', 1, null), target('ep_2', 1, 5)]))).toBeNull();
  expect(rateLimitOf(part(0, [], []))).toBeNull();
});

test('what the list shows is what a replay means', () => {
  const filter = filterOf({ app_id: 'app_1', status_code: '503', panel: 'replay', state: 'open' });
  expect(bulkOf(filter)).toMatchObject({ appId: 'app_1', statusCode: 503, state: undefined });
  expect(isFiltered(filter)).toBe(true);
  expect(isFiltered(filterOf({ state: 'open' }))).toBe(false);
});

test('arrow keys reach every rate from the slowest to the fastest', () => {
  const along = (key: string, from: number, steps: number) =>
    Array.from({ length: steps }).reduce<number>((rate) => keyedRate(key, rate, 1000) ?? Number.NaN, from);
  expect(along('ArrowLeft', 20, 19)).toBe(1);
  expect(along('ArrowLeft', 1, 1)).toBe(1);
  expect(along('ArrowUp', 1, 300)).toBe(1000);
  expect(keyedRate('Home', 20, 1000)).toBeNull();
});
