// Replays and discards of many: first only counted, then done as background tasks.
import { client } from '../api/client';
import type { BackgroundTask, Schemas } from '../api/types';
import type { UrlValues } from '../navigation/url';

export type Bulk = Schemas['BulkIn'];
export type Preview = Schemas['CountOut'];
export type Act = 'replay' | 'discard';

/** What is meant: one filter a task. */
export interface Target {
  filter: Bulk;
  label: string;
}

const filterNames = ['app_id', 'endpoint_id', 'event_type', 'reason', 'status_code', 'since', 'until'] as const;
export type LetterFilter = Partial<Record<(typeof filterNames)[number] | 'state', string>>;

export function filterOf(url: UrlValues, fixed: LetterFilter = {}): LetterFilter {
  const entries = [...filterNames, 'state' as const].map((name) => [name, fixed[name] ?? url[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value));
}

export function isFiltered(filter: LetterFilter, fixed: LetterFilter = {}): boolean {
  return filterNames.some((name) => filter[name] && !fixed[name]);
}

export function clearedFilter(): UrlValues {
  return Object.fromEntries([...filterNames, 'state'].map((name) => [name, undefined]));
}

/** The query of a list or of the groups. */
export function queryOf(filter: LetterFilter) {
  const { status_code, ...rest } = filter;
  return { ...rest, status_code: status_code ? Number(status_code) : undefined };
}

/** The same filter in the words of the body. */
export function bulkOf(filter: LetterFilter): Bulk {
  return {
    appId: filter.app_id,
    endpointId: filter.endpoint_id,
    eventType: filter.event_type,
    reason: filter.reason,
    statusCode: filter.status_code ? Number(filter.status_code) : undefined,
    since: filter.since,
    until: filter.until,
    state: filter.state === 'discarded' ? 'discarded' : undefined,
  };
}

async function post(act: Act, appId: string | undefined, body: Bulk): Promise<Preview | BackgroundTask | undefined> {
  if (appId) {
    const { appId: _application, ...rest } = body;
    const input = { params: { path: { app_id: appId } }, body: rest };
    const { data } =
      act === 'replay'
        ? await client.POST('/api/v1/app/{app_id}/dead-letter/replay', input)
        : await client.POST('/api/v1/app/{app_id}/dead-letter/discard', input);
    return data;
  }
  const { data } =
    act === 'replay'
      ? await client.POST('/api/v1/dead-letter/replay', { body })
      : await client.POST('/api/v1/dead-letter/discard', { body });
  return data;
}

export async function preview(act: Act, appId: string | undefined, targets: Target[]): Promise<Preview> {
  const parts = await Promise.all(
    targets.map(({ filter }) => post(act, appId, { ...filter, dryRun: true }) as Promise<Preview>),
  );
  return summed(parts);
}

export async function run(
  act: Act,
  appId: string | undefined,
  targets: Target[],
  how: Bulk,
): Promise<BackgroundTask[]> {
  const tasks: BackgroundTask[] = [];
  for (const { filter } of targets) {
    const task = (await post(act, appId, { ...filter, ...how })) as BackgroundTask | undefined;
    if (task) tasks.push(task);
  }
  return tasks;
}

/** Several previews as one. */
export function summed(parts: Preview[]): Preview {
  const add = <Item extends { count: number }>(lists: Item[][], key: (item: Item) => string): Item[] => {
    const byKey = new Map<string, Item>();
    for (const item of lists.flat()) {
      const known = byKey.get(key(item));
      byKey.set(key(item), known ? { ...known, count: known.count + item.count } : item);
    }
    return [...byKey.values()].sort((one, other) => other.count - one.count);
  };
  return {
    dryRun: true,
    count: parts.reduce((sum, part) => sum + part.count, 0),
    isCapped: parts.some((part) => part.isCapped),
    lookedAt: parts.reduce((sum, part) => sum + part.lookedAt, 0),
    skipped: add(
      parts.map((part) => part.skipped ?? []),
      (item) => item.reason,
    ),
    eventTypes: add(
      parts.map((part) => part.eventTypes ?? []),
      (item) => item.name,
    ),
    endpoints: add(
      parts.map((part) => part.endpoints ?? []),
      (item) => item.endpointId,
    ),
  };
}

/** The fastest that all endpoints together bear by their limits; null without a limit. */
export function rateLimitOf(found: Preview): number | null {
  const limits = found.endpoints.map((endpoint) => endpoint.rateLimit);
  if (limits.length === 0 || limits.some((limit) => limit === null)) return null;
  return limits.reduce<number>((sum, limit) => sum + (limit ?? 0), 0);
}

/** The next rate by an arrow key: a twentieth of it, and one at least. */
export function keyedRate(key: string, rate: number, most: number): number | null {
  const step = Math.max(1, Math.round(rate / 20));
  if (key === 'ArrowLeft' || key === 'ArrowDown') return Math.max(1, rate - step);
  if (key === 'ArrowRight' || key === 'ArrowUp') return Math.min(most, rate + step);
  return null;
}
