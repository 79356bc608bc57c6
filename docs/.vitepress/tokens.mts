// What becomes of a page's parts before it is a page of the site.
import { posix } from 'node:path'

interface Token {
  type: string
  attrs: [string, string][] | null
  children: Token[] | null
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/** Aligns cells of tables by a class instead of a style within the page. */
export function alignByClass(token: Token) {
  const style = /^t[dh]_open$/.test(token.type) && token.attrGet('style')
  if (style) token.attrs = [['class', style.replace('text-align:', 'align-')]]
}

/**
 * Pages are read in the repository, too, and link to its files there. Makes links to what is no page into text, and a folder's
 * README.md into the folder's first page. Links are from the site's root on, so that they hold with a slash behind the page's
 * address, too. `base` is put before what is served beside the pages.
 */
export function linksWithinTheSite(token: Token, page: string, base: string) {
  let leadsOut = false
  const stays = (child: Token) => {
    if (child.type === 'link_close' && leadsOut) return (leadsOut = false)
    const href = child.type === 'link_open' && child.attrGet('href')
    if (!href || /^([a-z]+:|#)/.test(href)) return true
    if (href.startsWith('/')) {
      // VitePress leaves links with a target alone.
      if (child.attrGet('target')) child.attrSet('href', posix.join(base, href))
      return true
    }
    const target = posix.join(posix.dirname(page), href)
    leadsOut = target.startsWith('../')
    child.attrSet('href', `/${target.replace(/README\.md/, 'index.md')}`)
    return !leadsOut
  }
  token.children = token.children?.filter(stays) ?? null
}
