// What is beside the pages: all of them, in groups.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DefaultTheme } from 'vitepress'

const pages = fileURLToPath(new URL('..', import.meta.url))

const names = (folder: string) =>
  readdirSync(join(pages, folder), { withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.md'))
    .map((file) => join(folder, file.name.slice(0, -'.md'.length)))
    .sort()
/** A page under the name that it gives itself. */
const item = (name: string) => ({
  text: readFileSync(join(pages, `${name}.md`), 'utf8').match(/^# (.*)$/m)?.[1] ?? name,
  link: `/${name}`,
})

const begin = ['quick-start', 'concepts']
const send = ['producing', 'receiving', 'dead-letters', 'pace']
const run = ['installing', 'operating', 'console', 'metrics', 'logs', 'scaling', 'reliability', 'security']
const lookUp = ['coming-from']
const placed = new Set(['index', ...begin, ...send, ...run, ...lookUp])
// A page that nobody has given a place stands with those for whoever runs it.
const others = names('.').filter((name) => !placed.has(name))

export const english: DefaultTheme.SidebarItem[] = [
  { text: 'Begin', items: begin.map(item) },
  { text: 'Send and receive', items: send.map(item) },
  { text: 'Run it', items: [...run, ...others].map(item) },
  {
    text: 'Runbooks',
    collapsed: true,
    items: [
      { text: 'All of them', link: '/runbooks/' },
      ...names('runbooks').filter((name) => !name.endsWith('README')).map(item),
    ],
  },
  {
    text: 'Look up',
    items: [
      item('reference/configuration'),
      item('reference/cli'),
      { text: 'API', link: '/api/', target: '_self' },
      ...lookUp.map(item),
    ],
  },
]
export const korean = [{ text: '시작하기', items: [item('ko/quick-start')] }]
