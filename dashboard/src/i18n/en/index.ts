// The English catalogue. It is the measure for all others.
import { alerts } from './alerts';
import { common } from './common';
import { operate } from './operate';
import { overview } from './overview';
import { portal } from './portal';
import { shell } from './shell';
import { tenants } from './tenants';
import { traffic } from './traffic';
import { units } from './units';

export const messages = {
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

/** Every string may be another, and nothing may be missing. */
type Loose<T> = T extends string
  ? string
  : T extends (...input: infer Input) => string
    ? (...input: Input) => string
    : T extends readonly unknown[]
      ? { [K in keyof T]: Loose<T[K]> }
      : { [K in keyof T]: Loose<T[K]> };

export type Messages = Loose<typeof messages>;
