// Goes to the next page of a list and back. Where one is, is in the URL.
import { useT } from '../../i18n';
import { Button } from '../controls/Button';

interface Props {
  page: { iterator?: string | null; prevIterator?: string | null; done: boolean } | undefined;
  iterator: string | undefined;
  onChange: (iterator: string | undefined) => void;
}

export function Pager({ page, iterator, onChange }: Props) {
  const t = useT();
  if (!page || (page.done && !iterator)) return null;
  return (
    <nav className="pager row" aria-label={t.pages}>
      <span className="grow" />
      <Button small disabled={!iterator} onClick={() => onChange(undefined)}>
        {t.firstPage}
      </Button>
      <Button small disabled={page.done} onClick={() => onChange(page.iterator ?? undefined)}>
        {t.nextPage}
      </Button>
    </nav>
  );
}
