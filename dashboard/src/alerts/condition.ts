// The condition of a rule as a form has it: numbers that belong to its kind, each with its bounds.
import type { AlertCondition } from '../api/types';

export type ConditionKind = AlertCondition['kind'];

type NumbersOf<C> = C extends { kind: string } ? { [F in Exclude<keyof C, 'kind'>]: number } : never;
type Defaults = { [K in ConditionKind]: NumbersOf<Extract<AlertCondition, { kind: K }>> };

/** What a new rule of a kind begins with; its fields in the order in which they are asked for. */
const defaults: Defaults = {
  dead_letters: { count: 1, minutes: 5 },
  failure_share: { percent: 10, attempts: 20, minutes: 10 },
  queue_age: { minutes: 5 },
  endpoint_disabled: { minutes: 60 },
  incident_open: { minutes: 30 },
  nothing_accepted: { minutes: 60 },
};

export type Field = 'count' | 'percent' | 'attempts' | 'minutes';
export type Numbers = Partial<Record<Field, number | string>>;

export const conditionKinds = Object.keys(defaults) as ConditionKind[];

export function fieldsOf(kind: ConditionKind): Field[] {
  return Object.keys(defaults[kind]) as Field[];
}

/** Numbers that both kinds have are kept. */
export function numbersFor(kind: ConditionKind, before: Numbers): Numbers {
  return {
    ...defaults[kind],
    ...Object.fromEntries(Object.entries(before).filter(([name]) => name in defaults[kind])),
  };
}

export function mostOf(kind: ConditionKind, field: Field): number {
  if (field === 'percent') return 99;
  if (field === 'minutes') return kind === 'incident_open' ? 10_080 : 1_440;
  return 1_000_000_000;
}

export function conditionOf(kind: ConditionKind, numbers: Numbers): AlertCondition {
  const entries = fieldsOf(kind).map((field) => [field, Number(numbers[field])]);
  return { kind, ...Object.fromEntries(entries) } as AlertCondition;
}
