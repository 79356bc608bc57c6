// What is chosen in a list: groups and letters by their keys.
import type { DeadLetterGroup } from '../api/types';

export function groupKey(group: Pick<DeadLetterGroup, 'endpointId' | 'reason'>): string {
  return `${group.endpointId}:${group.reason}`;
}

/** The set with this key if it lacked it, and else without it. */
export function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}
