// Walks through messages. The server looks at a bounded number at a time, so a page may need several calls.
import { useQuery } from '@tanstack/react-query';
import { client } from '../api/client';
import type { FoundMessage, Schemas } from '../api/types';
import type { UrlValues } from '../navigation/url';

type Found = Schemas['MessageSearchOut'];

export const filterNames = [
  'app_id',
  'endpoint_id',
  'event_type',
  'channel',
  'tag',
  'state',
  'q',
  'since',
  'until',
] as const;
export type MessageFilter = Partial<Record<(typeof filterNames)[number], string>>;

/** What the URL asks for, and what the view holds fixed. */
export function filterOf(url: UrlValues, fixed: MessageFilter): MessageFilter {
  const entries = filterNames.map((name) => [name, fixed[name] ?? url[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value));
}

export function isFiltered(filter: MessageFilter, fixed: MessageFilter): boolean {
  return Object.keys(filter).some((name) => !(name in fixed));
}

const wantedRows = 30;
const mostCalls = 5;

/** Goes on until there is a page of rows, the end, or the bound of what one page may ask. */
async function walk(filter: MessageFilter, from: string | undefined, signal: AbortSignal): Promise<Found> {
  const data: FoundMessage[] = [];
  let looked = 0;
  let iterator = from;
  for (let call = 1; ; call += 1) {
    const found = await ask(filter, iterator, signal);
    data.push(...found.data);
    looked += found.looked;
    if (found.done || data.length >= wantedRows || call === mostCalls) return { ...found, data, looked };
    iterator = found.iterator ?? undefined;
  }
}

async function ask(filter: MessageFilter, iterator: string | undefined, signal: AbortSignal): Promise<Found> {
  const { app_id, event_type, state, ...rest } = filter;
  const query = {
    ...rest,
    event_types: event_type ? [event_type] : undefined,
    state: state as Schemas['DeliveryState'] | undefined,
    iterator,
    limit: 50,
  };
  const answer = app_id
    ? await client.GET('/api/v1/app/{app_id}/message-search', { params: { path: { app_id }, query }, signal })
    : await client.GET('/api/v1/message-search', { params: { query }, signal });
  if (!answer.data) throw new Error('The search was answered without a body.');
  return answer.data;
}

export function useMessageSearch(filter: MessageFilter, from: string | undefined) {
  return useQuery<Found>({
    queryKey: ['message-search', filter, from],
    queryFn: ({ signal }) => walk(filter, from, signal),
    placeholderData: undefined,
  });
}

/** Live ones on top, none twice. */
export function merged(live: FoundMessage[], found: FoundMessage[]): FoundMessage[] {
  const known = new Set(found.map((message) => message.id));
  return [...live.filter((message) => !known.has(message.id)), ...found];
}
