// What is selected, and what can be done with it. Each act asks first.
import { Button } from '../design/controls/Button';
import { useT } from '../i18n';
import type { Count } from '../i18n/en/words';
import type { Act } from './bulk';

export function BulkBar({
  count,
  note,
  onClear,
  onAct,
}: {
  count: Count;
  note?: string;
  onClear: () => void;
  onAct: (act: Act) => void;
}) {
  const t = useT();
  return (
    <div className="bulk-bar" role="region" aria-label={t.deadLetters.selection}>
      <span className="grow">
        <b>{t.deadLetters.selected(count)}</b>
        {note && <span className="dim"> · {note}</span>}
      </span>
      <Button small kind="quiet" onClick={onClear}>
        {t.deadLetters.clear}
      </Button>
      <Button small kind="danger" onClick={() => onAct('discard')}>
        {t.deadLetters.discard}
      </Button>
      <Button small kind="primary" data-key="r" onClick={() => onAct('replay')}>
        {t.deadLetters.replay}
      </Button>
    </div>
  );
}
