// What a view shows in place of its content: nothing there, nothing matches, it failed; and a call for attention.
import type { ReactNode } from 'react';
import { ApiError, isStatus, mayPass } from '../../api/error';
import { errorText } from '../../api/error-text';
import { useT } from '../../i18n';
import type { Messages } from '../../i18n/en';
import { Button } from '../controls/Button';
import { Icon, type IconName } from '../values/Icon';
import { Id } from '../values/Id';
import './notice.css';
import type { StateName } from '../values/states';

interface EmptyProps {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}

/** Teaches: what this will show, and the one command or button that makes it show something. */
export function Empty({ icon, title, children, command, action }: EmptyProps) {
  return (
    <div className="empty">
      {icon && <Icon name={icon} />}
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {command && <pre className="code">{command}</pre>}
      {action}
    </div>
  );
}

export function NoMatch({ onClear, children }: { onClear: () => void; children?: ReactNode }) {
  const t = useT();
  return (
    <div className="empty">
      <h3>{t.noMatch}</h3>
      {children && <p>{children}</p>}
      <Button onClick={onClear}>{t.clearFilters}</Button>
    </div>
  );
}

/** What was read can be read again; what was to be done is for its own button. */
function titleOf(error: unknown, canBeReadAgain: boolean, failure: Messages['failure']): string {
  if (isStatus(error, 404)) return failure.notFound;
  return canBeReadAgain ? failure.title : failure.notDone;
}

interface FailureProps {
  error: unknown;
  /** Offered where it can help. */
  onRetry?: () => void;
  title?: string;
  /** What else can be done about it. */
  action?: ReactNode;
}

export function Failure({ error, onRetry, title, action }: FailureProps) {
  const t = useT();
  const isApi = error instanceof ApiError;
  const text = errorText(error, t.failure);
  return (
    <Callout
      state="dead"
      icon="warning"
      title={title ?? titleOf(error, onRetry !== undefined, t.failure)}
      actions={
        action ||
        (onRetry && mayPass(error) && (
          <Button icon="replay" onClick={onRetry}>
            {t.tryAgain}
          </Button>
        ))
      }
    >
      {text}
      {isApi && error.requestId && (
        <>
          {' '}
          {t.failure.request} <Id id={error.requestId} whole />
        </>
      )}
    </Callout>
  );
}

interface CalloutProps {
  state: StateName;
  icon?: IconName;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

export function Callout({ state, icon = 'warning', title, children, actions }: CalloutProps) {
  return (
    <div className={`callout ground-${state}`} role={state === 'dead' ? 'alert' : undefined}>
      <span className={state}>
        <Icon name={icon} />
      </span>
      <div className="callout-text">
        <p className="strong">{title}</p>
        {children && <div className="small dim">{children}</div>}
      </div>
      {actions && <div className="callout-actions">{actions}</div>}
    </div>
  );
}
