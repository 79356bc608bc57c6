// What is chosen in a list: groups and letters by their keys.
import type { DeadLetterGroup } from '../api/types';

export function groupKey(group: Pick<DeadLetterGroup, 'endpointId' | 'reason'>): string {
  return `${group.endpointId}:${group.reason}`;
}

/** What the URL of an open panel names, so that a link to it means the same. */
export function namedIn(list: string | undefined): string[] {
  return list?.split(',').filter(Boolean) ?? [];
}

export function nameList(keys: ReadonlySet<string>): string | undefined {
  return [...keys].join(',') || undefined;
}

/** The set with this key if it lacked it, and else without it. */
export function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}
