// All event types, for those who choose among them.
import { useQuery } from '@tanstack/react-query';
import { allPages } from '../api/all-pages';
import { client } from '../api/client';
import type { EventType } from '../api/types';

export function useAllEventTypes(isWanted = true) {
  return useQuery({
    queryKey: ['all-event-types'],
    queryFn: () =>
      allPages<EventType>((iterator) =>
        client.GET('/api/v1/event-type', { params: { query: { limit: 250, iterator } } }),
      ),
    enabled: isWanted,
  });
}

export function useEventTypeNames(isWanted: boolean): string[] {
  return useAllEventTypes(isWanted).data?.map((type) => type.name) ?? [];
}
