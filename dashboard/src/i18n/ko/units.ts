// Units of time, written after a number.
import type { Units } from '../en/units';

export const units: Units = {
  ms: (n) => `${n} ms`,
  s: (n) => `${n}초`,
  min: (n) => `${n}분`,
  h: (n) => `${n}시간`,
  d: (n) => `${n}일`,
};
