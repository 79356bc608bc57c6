// Units of time, and how often something happens, written with a number.
import type { Units } from '../en/units';

export const units: Units = {
  ms: (n) => `${n} ms`,
  s: (n) => `${n}초`,
  min: (n) => `${n}분`,
  h: (n) => `${n}시간`,
  d: (n) => `${n}일`,
  perSecond: (n) => `초당 ${n}`,
  perMinute: (n) => `분당 ${n}`,
  perHour: (n) => `시간당 ${n}`,
};
