// Pages are read in the repository, too, and link to its files there.
import { posix } from 'node:path'

interface Inline {
  type: string
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/** Makes links to what is no page into text, and a folder's README.md into the folder's first page. */
export function linksWithinTheSite(token: { children: Inline[] | null }, page: string) {
  let leadsOut = false
  const stays = (child: Inline) => {
    if (child.type === 'link_close' && leadsOut) return (leadsOut = false)
    const href = child.type === 'link_open' && child.attrGet('href')
    if (!href || /^([a-z]+:|[/#])/.test(href)) return true
    leadsOut = posix.join(posix.dirname(page), href).startsWith('../')
    child.attrSet('href', href.replace(/(^|\/)README\.md/, '$1index.md'))
    return !leadsOut
  }
  token.children = token.children?.filter(stays) ?? null
}
