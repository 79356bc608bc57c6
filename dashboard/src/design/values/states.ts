// The states of a delivery, and the icon of each.
import type { IconName } from './Icon';

export type StateName = 'delivered' | 'in_flight' | 'waiting' | 'held' | 'dead' | 'cancelled';

export const stateIcons: Record<StateName, IconName> = {
  delivered: 'delivered',
  in_flight: 'inFlight',
  waiting: 'waiting',
  held: 'held',
  dead: 'dead',
  cancelled: 'cancelled',
};
