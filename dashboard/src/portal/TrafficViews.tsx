// Messages and dead letters of the tenant: the console's views, held to one application.
import { DeadLetterList } from '../dead-letters/DeadLetterList';
import { DeadLetterView } from '../dead-letters/DeadLetterView';
import { RunningTasks } from '../dead-letters/RunningTasks';
import { PageHead } from '../design/layout/Card';
import { useT } from '../i18n';
import { MessageList } from '../messages/MessageList';
import { MessageContent } from '../messages/MessageView';
import { useAccess } from './context';

export function PortalMessagesView() {
  const t = useT();
  return (
    <>
      <PageHead title={t.message.title} />
      <MessageList appId={useAccess().appId} />
    </>
  );
}

export function PortalMessageView() {
  return <MessageContent appId={useAccess().appId} />;
}

export function PortalDeadLettersView() {
  const t = useT();
  return (
    <>
      <PageHead title={t.deadLetters.title}>
        <p>{t.deadLetters.noneNote}</p>
      </PageHead>
      <RunningTasks />
      <DeadLetterList appId={useAccess().appId} isExplained />
    </>
  );
}

export function PortalDeadLetterView() {
  return <DeadLetterView appId={useAccess().appId} />;
}
