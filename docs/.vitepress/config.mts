// The documentation, as a site that the binary serves at /docs/ under a policy that allows no script or style within a page. So what
// VitePress writes into pages is moved into files: its two small scripts, and the colours of code.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformerStyleToClass } from '@shikijs/transformers'
import { defineConfig, type DefaultTheme } from 'vitepress'

const base = '/docs/'
const colours = transformerStyleToClass({ classPrefix: 'code-' })
const scripts = new Map<string, string>()

type Page = [text: string, link: string]
const group = (text: string, prefix: string, pages: Page[]): DefaultTheme.SidebarItem => ({
  text,
  items: pages.map(([text, link]) => ({ text, link: prefix + link })),
})

const english = [
  group('Begin', '/', [['Quick start', 'quick-start'], ['Concepts', 'concepts']]),
  group('Send and receive', '/', [
    ['Producing', 'producing'],
    ['Receiving and verifying', 'receiving'],
    ['Retries and dead letters', 'dead-letters'],
  ]),
  group('Run it', '/', [
    ['Operating', 'operating'],
    ['Console', 'console'],
    ['Alerts', 'alerts'],
    ['Scaling', 'scaling'],
    ['Reliability', 'reliability'],
    ['Security', 'security'],
  ]),
  group('Look up', '/', [
    ['Configuration', 'reference/configuration'],
    ['Command line', 'reference/cli'],
    ['Coming from elsewhere', 'coming-from'],
  ]),
]
const korean = [group('시작하기', '/ko/', [['빠른 시작', 'quick-start']])]

export default defineConfig({
  title: 'Postrider',
  description: 'Sends webhooks: stored in Postgres, signed, delivered, retried, replayed.',
  base,
  cleanUrls: true,
  metaChunk: true,
  head: [['link', { rel: 'stylesheet', href: `${base}code.css` }]],
  locales: {
    root: { label: 'English', lang: 'en', themeConfig: { sidebar: english } },
    ko: { label: '한국어', lang: 'ko', themeConfig: { sidebar: korean } },
  },
  themeConfig: {
    nav: [
      { text: 'API', link: '/api/', target: '_self' },
    ],
    search: { provider: 'local' },
    outline: [2, 3],
  },
  // The reference of the API is served by the binary beside these pages.
  ignoreDeadLinks: [/^\/api\//],
  markdown: {
    codeTransformers: [colours],
    config(md) {
      const fence = md.renderer.rules.fence!
      md.renderer.rules.fence = (tokens, index, ...others) => {
        const html = fence(tokens, index, ...others)
        const { info } = tokens[index]
        const name = info.match(/\[(.*)\]/)?.[1]
        const notes = [name && `<p class="note">${name}</p>`, /\bnot-run\b/.test(info) && '<p class="note">not run by our tests</p>']
        return notes.filter(Boolean).join('') + html
      }
    },
  },
  transformHtml: (html) =>
    html.replace(/<script id="(check-[a-z-]+)">([\s\S]*?)<\/script>/g, (_, id, script) => {
      scripts.set(id, script)
      return `<script id="${id}" src="${base}${id}.js"></script>`
    }),
  buildEnd({ outDir }) {
    for (const [id, script] of scripts) writeFileSync(join(outDir, `${id}.js`), script)
    writeFileSync(join(outDir, 'code.css'), colours.getCSS())
  },
})
