// What can be done to an application: portal link, pause, edit, erase, delete.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { client } from '../api/client';
import type { Application } from '../api/types';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { toast } from '../design/feedback/toast';
import { Ask } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { useShell } from '../shell/Nav';
import { ApplicationForm } from './ApplicationForm';
import { PortalLink } from './PortalLink';

export function ApplicationActions({ application }: { application: Application }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { session } = useShell();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const isOperator = session.role === 'operator';
  const close = () => setUrl({ panel: undefined });
  const path = { app_id: application.id };

  const pause = async () => {
    await client.POST('/api/v1/admin/pause/app/{app_id}', { params: { path } });
    await queries.invalidateQueries();
  };
  const resume = async () => {
    await client.POST('/api/v1/admin/resume/app/{app_id}', { params: { path } });
    await queries.invalidateQueries();
    toast(t.application.resumed(application.name));
  };
  const remove = async () => {
    await client.DELETE('/api/v1/app/{app_id}', { params: { path } });
    await queries.invalidateQueries();
    await navigate({ to: '/applications' });
  };
  const erase = async () => {
    const { data } = await client.POST('/api/v1/app/{app_id}/msg/expunge-all-contents', { params: { path } });
    if (data) await navigate({ to: `/tasks/${data.id}` });
  };
  return (
    <>
      <More
        items={[
          { label: t.application.erase, icon: 'trash', isDangerous: true, onSelect: () => setUrl({ panel: 'erase' }) },
          {
            label: t.application.delete,
            icon: 'trash',
            isDangerous: true,
            onSelect: () => setUrl({ panel: 'delete' }),
          },
        ]}
      />
      <Button icon="edit" onClick={() => setUrl({ panel: 'edit' })}>
        {t.edit}
      </Button>
      {isOperator &&
        (application.pausedAt ? (
          <Button icon="play" onClick={resume}>
            {t.application.resume}
          </Button>
        ) : (
          <Button icon="held" onClick={() => setUrl({ panel: 'pause' })}>
            {t.application.pause}
          </Button>
        ))}
      <Button kind="primary" icon="link" onClick={() => setUrl({ panel: 'portal' })}>
        {t.application.portalLink}
      </Button>
      <ApplicationForm isOpen={url.panel === 'edit'} onClose={close} application={application} />
      <PortalLink isOpen={url.panel === 'portal'} onClose={close} application={application} />
      <Ask
        isOpen={url.panel === 'pause'}
        onClose={close}
        title={t.application.pauseTitle(application.name)}
        act={t.application.pauseAct}
        onAct={pause}
      >
        <p>{t.application.pauseText}</p>
      </Ask>
      <Ask
        isOpen={url.panel === 'erase'}
        onClose={close}
        title={t.application.eraseTitle(application.name)}
        act={t.application.eraseAct}
        isDangerous
        onAct={erase}
      >
        <p>{t.application.eraseText}</p>
      </Ask>
      <Ask
        isOpen={url.panel === 'delete'}
        onClose={close}
        title={t.application.deleteTitle(application.name)}
        act={t.deleteNow}
        isDangerous
        onAct={remove}
      >
        <p>{t.application.deleteText}</p>
      </Ask>
    </>
  );
}
