// The documentation, as a site that the binary serves at /docs/ under a policy that allows no script or style within a page. So what
// VitePress writes into pages is moved into files: its two small scripts, and the colours of code.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformerStyleToClass } from '@shikijs/transformers'
import { defineConfig } from 'vitepress'
import { english, korean } from './sidebar.mts'
import { alignByClass, linksWithinTheSite } from './tokens.mts'

const base = '/docs/'
const colours = transformerStyleToClass({ classPrefix: 'code-' })
const scripts = new Map<string, string>()

export default defineConfig({
  title: 'Postrider',
  description: 'Sends webhooks: stored in Postgres, signed, delivered, retried, replayed.',
  base,
  cleanUrls: true,
  // Otherwise a style is put into the page while its colours change.
  appearance: { disableTransition: false },
  rewrites: { 'runbooks/README.md': 'runbooks/index.md' },
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
    // Most pages are in English alone.
    i18nRouting: false,
  },
  // The reference of the API is served by the binary beside these pages.
  ignoreDeadLinks: [/^\/api\//],
  markdown: {
    codeTransformers: [colours],
    config(md) {
      md.core.ruler.push('within-the-site', ({ tokens, env }) =>
        tokens.forEach((token) => {
          alignByClass(token)
          linksWithinTheSite(token, env.relativePath, base)
        }),
      )
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
    html
      .replace(/<script id="(check-[a-z-]+)">([\s\S]*?)<\/script>/g, (_, id, script) => {
        scripts.set(id, script)
        return `<script id="${id}" src="${base}${id}.js"></script>`
      })
      // One is set again by a script, the other is in style.css.
      .replace(/(<[^>]+) style="(--vp-vh:0px;|position:relative;)"/g, '$1'),
  buildEnd({ outDir }) {
    for (const [id, script] of scripts) writeFileSync(join(outDir, `${id}.js`), script)
    writeFileSync(join(outDir, 'code.css'), colours.getCSS())
  },
})
