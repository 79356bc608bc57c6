// The messages of all applications of the environment.
import { PageHead } from '../design/layout/Card';
import { useT } from '../i18n';
import { MessageList } from './MessageList';

export function MessagesView() {
  const t = useT();
  return (
    <>
      <PageHead title={t.message.title}>
        <p>{t.message.titleNote}</p>
      </PageHead>
      <MessageList />
    </>
  );
}
