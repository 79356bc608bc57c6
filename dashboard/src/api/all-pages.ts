// Everything of a list that comes in pages, for what has to know all of it: a choice, or whom something goes to.

interface Page<T> {
  data: T[];
  done: boolean;
  iterator?: string | null;
}

/** More pages than this are not asked for: 10,000 rows of 250 a page. */
const mostPages = 40;

/** The rows of all pages. `ask` brings the page after an iterator. */
export async function allPages<T>(ask: (iterator?: string) => Promise<{ data?: Page<T> }>): Promise<T[]> {
  const rows: T[] = [];
  let iterator: string | undefined;
  for (let count = 0; count < mostPages; count += 1) {
    const { data: page } = await ask(iterator);
    if (!page) break;
    rows.push(...page.data);
    if (page.done || !page.iterator) break;
    iterator = page.iterator;
  }
  return rows;
}
