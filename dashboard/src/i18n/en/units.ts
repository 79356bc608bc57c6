// Units of time, written after a number.
export const units = {
  ms: (n: string) => `${n} ms`,
  s: (n: string) => `${n} s`,
  min: (n: string) => `${n} min`,
  h: (n: string) => `${n} h`,
  d: (n: string) => `${n} d`,
};

export type Units = typeof units;
