// The Korean catalogue.
import type { Messages } from '../en';
import { alerts } from './alerts';
import { common } from './common';
import { operate } from './operate';
import { overview } from './overview';
import { portal } from './portal';
import { shell } from './shell';
import { tenants } from './tenants';
import { traffic } from './traffic';
import { units } from './units';

export const messages: Messages = {
  units,
  ...common,
  ...shell,
  ...overview,
  ...tenants,
  ...traffic,
  ...operate,
  ...portal,
  ...alerts,
};
