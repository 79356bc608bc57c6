// The keys, on one page.
import { Dialog } from '../design/layout/Dialog';
import { useT } from '../i18n';
import './help.css';
import { isMac } from './Nav';

export function Help({ onClose }: { onClose: () => void }) {
  const t = useT();
  const rows: [string[], string][] = [
    [[isMac() ? '⌘' : 'Ctrl', 'K'], t.help.palette],
    [['/'], t.help.filter],
    [['j', 'k'], t.help.rows],
    [['x'], t.help.select],
    [['Shift', 'x'], t.help.selectRange],
    [['Enter'], t.help.open],
    [['r'], t.help.replay],
    [['Esc'], t.help.close],
    [['?'], t.help.help],
  ];
  return (
    <Dialog isOpen onClose={onClose} title={t.help.title}>
      <dl className="help-keys">
        {rows.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
