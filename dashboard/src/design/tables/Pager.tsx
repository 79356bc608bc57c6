// Goes to the next page of a list and back, and to its first row. Where one is, is in the URL.
import { type ReactNode, useRef } from 'react';
import { useT } from '../../i18n';
import { Button } from '../controls/Button';

interface Props {
  page: { iterator?: string | null; prevIterator?: string | null; done: boolean } | undefined;
  iterator: string | undefined;
  /** What the next page is called, if otherwise. */
  next?: string;
  note?: ReactNode;
  onChange: (iterator: string | undefined) => void;
}

export function Pager({ page, iterator, next, note, onChange }: Props) {
  const t = useT();
  const pages = useRef<HTMLElement>(null);
  const go = (to: string | undefined) => {
    onChange(to);
    const list = pages.current?.parentElement;
    if (list && list.getBoundingClientRect().top < 0) list.scrollIntoView();
  };
  if (!page || (page.done && !iterator)) return null;
  return (
    <nav ref={pages} className="pager row" aria-label={t.pages}>
      <span className="caption grow">{note}</span>
      <Button small disabled={!iterator} onClick={() => go(undefined)}>
        {t.firstPage}
      </Button>
      <Button small disabled={page.done} onClick={() => go(page.iterator ?? undefined)}>
        {next ?? t.nextPage}
      </Button>
    </nav>
  );
}
