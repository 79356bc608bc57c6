// Merges overlay.yaml, the description of operations that the server does not describe yet, over its own description.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

// As every operation answers them.
const errorOut = {
  description: 'What went wrong.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorOut' } } },
};
const errors = { 401: errorOut, 403: errorOut, 404: errorOut };

const methods = ['get', 'put', 'post', 'patch', 'delete'];

export async function withOverlay(document) {
  const text = await readFile(new URL('./overlay.yaml', import.meta.url), 'utf8');
  const overlay = parse(text, { maxAliasCount: -1 });
  for (const [path, item] of Object.entries(overlay.paths)) {
    document.paths[path] ??= {};
    for (const method of methods.filter((name) => item[name])) addOperation(document.paths[path], method, item[method]);
  }
  for (const [name, schema] of Object.entries(overlay.components.schemas))
    addSchema(document.components.schemas, name, schema);
  replaceInlined(document, overlay.components.schemas);
  return document;
}

function addOperation(item, method, operation) {
  if (!operation['x-extends']) item[method] ??= { ...operation, responses: { ...operation.responses, ...errors } };
  else item[method].parameters = [...(item[method].parameters ?? []), ...(operation.parameters ?? [])];
}

function addSchema(schemas, name, schema) {
  if (!schema['x-extends']) {
    schemas[name] ??= schema;
    return;
  }
  const known = schemas[name];
  known.properties = { ...schema.properties, ...known.properties };
  known.required = [...new Set([...(known.required ?? []), ...(schema.required ?? [])])];
}

// Pages of a list have their items' schema written out: those of extended schemas point at the extended one instead.
function replaceInlined(document, overlay) {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    const item = name.match(/^ListOut_(\w+)$/)?.[1];
    if (item && overlay[item]?.['x-extends']) schema.properties.data.items = { $ref: `#/components/schemas/${item}` };
  }
}
