// Puts a smaller form beside each built file that has one: `x.js.br`, `x.js.gz`. The server sends what the browser takes.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../.vitepress/dist/', import.meta.url);
const smaller = /\.(js|css|svg|json|txt|webmanifest)$/;
const forms = {
  br: (bytes) =>
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
  gz: (bytes) => gzipSync(bytes, { level: 9 }),
};

const names = await readdir(fileURLToPath(dist), { recursive: true });
for (const name of names.filter((name) => smaller.test(name))) {
  const file = new URL(name, dist);
  const bytes = await readFile(file);
  for (const [end, form] of Object.entries(forms)) {
    const place = new URL(`${file.href}.${end}`);
    const made = form(bytes);
    if (made.length < bytes.length) await writeFile(place, made);
    else await rm(place, { force: true });
  }
}
