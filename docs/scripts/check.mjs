// Holds the built site to what it promises: links and their anchors lead somewhere, no page has a script or a style within
// itself, and the first view is light.
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = fileURLToPath(new URL('../.vitepress/dist/', import.meta.url))
const base = '/docs/'
const firstViewKib = 120
const problems = []

const pages = new Map()
for (const name of await readdir(dist, { recursive: true })) {
  if (name.endsWith('.html')) pages.set(name, readFileSync(dist + name, 'utf8'))
}
const anchors = new Map([...pages].map(([name, html]) => [name, new Set([...html.matchAll(/ id="([^"]+)"/g)].map((it) => it[1]))]))
const pageOf = (path) => [path || 'index.html', `${path}.html`, `${path}index.html`].find((name) => pages.has(name))

for (const [name, html] of pages) {
  for (const [, target] of html.matchAll(/ href="([^"]+)"/g)) {
    if (/^(https?:|mailto:)/.test(target) || target.startsWith(`${base}api/`)) continue
    const [path, anchor] = target.replaceAll('&amp;', '&').split('#')
    if (path && !path.startsWith(base)) problems.push(`${name}: ${target} leads out of the site`)
    const within = path.slice(base.length)
    const page = path ? pageOf(within) : name
    if (!page && !existsSync(dist + within)) problems.push(`${name}: ${target} is not there`)
    if (page && anchor && !anchors.get(page).has(decodeURIComponent(anchor))) problems.push(`${name}: ${target} has no such place`)
  }
  if (/<script(?![^>]* src=)[^>]*>/.test(html)) problems.push(`${name}: a script within the page`)
  if (/<style|<[^>]+ style="/.test(html)) problems.push(`${name}: a style within the page`)
  if (/<[^>]+ on[a-z]+="/.test(html)) problems.push(`${name}: a handler within the page`)
}

const loaded = [...pages.get('index.html').matchAll(/ (?:href|src)="\/docs\/([^"]+\.(?:js|css))"/g)].map((it) => it[1])
const kib = [...new Set(loaded)].reduce((sum, name) => sum + gzipSync(readFileSync(dist + name)).length, 0) / 1024
console.log(`docs: ${pages.size} pages; first view ${kib.toFixed(1)} KiB gzipped of ${firstViewKib}`)
if (kib > firstViewKib) problems.push('the first view is too large')
if (problems.length) {
  console.error(problems.join('\n'))
  process.exit(1)
}
