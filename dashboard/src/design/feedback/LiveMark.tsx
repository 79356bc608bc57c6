// Says whether the view is live, and when what it shows is a sample.

import type { LiveStatus } from '../../api/live';
import { useFormat, useT } from '../../i18n';
import './live-mark.css';

export function LiveMark({ status }: { status: LiveStatus }) {
  const t = useT();
  const format = useFormat();
  const text = {
    connecting: () => t.live.connecting,
    live: () => t.live.live,
    sampled: () => t.live.sampled(status.shown ?? 0, status.of ?? 0),
    lost: () => t.live.lost(status.since ? format.clockSeconds(status.since) : ''),
    off: () => t.live.off,
  }[status.kind]();
  return (
    <span className={`live-mark ${status.kind}`} role="status">
      <i />
      {text}
    </span>
  );
}
