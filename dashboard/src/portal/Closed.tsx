// The portal without a link that holds.
import { ButtonAnchor } from '../design/controls/Button';
import { Empty, Failure } from '../design/feedback/Notice';
import { useT } from '../i18n';
import type { Opening } from './access';
import './portal.css';

type Closing = Exclude<Opening, { kind: 'open' }> | { kind: 'failed'; error: unknown };

export function Closed({ state }: { state: Closing }) {
  const t = useT();
  return (
    <main className="portal-closed">
      <div className="card">
        {state.kind === 'failed' ? (
          <Failure error={state.error} onRetry={() => location.reload()} />
        ) : state.kind === 'over' ? (
          <Empty
            icon="waiting"
            title={t.portal.over}
            action={
              state.refreshUrl && (
                <ButtonAnchor kind="primary" href={state.refreshUrl}>
                  {t.portal.newLink}
                </ButtonAnchor>
              )
            }
          >
            {t.portal.overNote}
          </Empty>
        ) : (
          <Empty icon="link" title={t.portal.noLink}>
            {t.portal.noLinkNote}
          </Empty>
        )}
      </div>
    </main>
  );
}
