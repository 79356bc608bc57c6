// Writes src/api/schema.d.ts from the API's description. No type of the API is written by hand.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const description = new URL('../../api-spec/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

const document = JSON.parse(await readFile(description, 'utf8'));

const types = astToString(await openapiTS(document, { defaultNonNullable: false }));
await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, `// Written by \`npm run types\`.\n${types}`);
