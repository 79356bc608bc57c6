// The examples that the JSON Schemas of an event type carry.

/** Of each version: `examples`, or else `example`. */
export function examplesOf(schemas: unknown): unknown[] {
  if (typeof schemas !== 'object' || schemas === null) return [];
  return Object.values(schemas).flatMap((schema) => {
    const { examples, example } = (schema ?? {}) as { examples?: unknown; example?: unknown };
    if (Array.isArray(examples)) return examples.slice(0, 3);
    return example === undefined ? [] : [example];
  });
}
