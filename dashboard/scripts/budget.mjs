// Holds the first view of each application to 300 KiB gzipped: what its page loads before it can show anything.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const limitKib = 300;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8'));

// The first view is the entry, what it imports, the view that opens at the application's root, and a catalogue.
const firstViews = {
  'index.html': ['src/overview/OverviewView.tsx', 'src/i18n/ko/index.ts'],
  'portal.html': ['src/portal/EndpointsView.tsx', 'src/i18n/ko/index.ts'],
};

function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the manifest`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

let isOver = false;
for (const [page, views] of Object.entries(firstViews)) {
  const files = new Set();
  for (const key of [page, ...views]) for (const file of filesOf(key)) files.add(file);
  let bytes = 0;
  for (const file of files) bytes += gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length;
  const kib = bytes / 1024;
  isOver ||= kib > limitKib;
  console.log(`${page}: first view ${kib.toFixed(1)} KiB gzipped of ${limitKib} (${files.size} files)`);
}
if (isOver) {
  console.error(`The first view is larger than ${limitKib} KiB.`);
  process.exit(1);
}
