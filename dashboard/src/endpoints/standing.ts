// How an endpoint stands: does it get what is meant for it, and if not, why not.
import type { Endpoint } from '../api/types';
import type { IconName } from '../design/values/Icon';
import type { StateName } from '../design/values/states';

export type StandingKind = 'active' | 'failing' | 'paused' | 'disabled';

export interface Standing {
  kind: StandingKind;
  state: StateName;
  icon?: IconName;
}

/** What holds most comes first: nothing goes to a disabled endpoint, whether it is paused besides or not. */
export function standingOf(endpoint: Pick<Endpoint, 'disabled' | 'pausedAt'>, failingSince: string | null): Standing {
  if (endpoint.disabled) return { kind: 'disabled', state: 'held' };
  if (endpoint.pausedAt) return { kind: 'paused', state: 'held' };
  if (failingSince) return { kind: 'failing', state: 'waiting', icon: 'warning' };
  return { kind: 'active', state: 'delivered' };
}
