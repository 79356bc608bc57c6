// Units of time, and how often something happens, written with a number.
export const units = {
  ms: (n: string) => `${n} ms`,
  s: (n: string) => `${n} s`,
  min: (n: string) => `${n} min`,
  h: (n: string) => `${n} h`,
  d: (n: string) => `${n} d`,
  perSecond: (n: string) => `${n} /s`,
  perMinute: (n: string) => `${n} /min`,
  perHour: (n: string) => `${n} /h`,
};

export type Units = typeof units;
