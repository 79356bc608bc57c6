// What can be done to an endpoint: test it, recover what it missed, pause, disable, edit, delete.
import { useNavigate } from '@tanstack/react-router';
import type { Endpoint } from '../api/types';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { Ask } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { useEndpointActs } from './acts';
import { CheckPanel } from './check/CheckPanel';
import { EndpointForm } from './forms/EndpointForm';
import { HeadersForm } from './forms/HeadersForm';
import { Recover } from './forms/Recover';

export function EndpointActions({ appId, endpoint }: { appId: string; endpoint: Endpoint }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const { isPortal } = usePlaces();
  const acts = useEndpointActs(appId, endpoint);
  const open = (panel: string) => () => setUrl({ panel });
  const close = () => setUrl({ panel: undefined });
  const remove = async () => {
    await acts.remove();
    await navigate({ to: isPortal ? '/' : `/applications/${appId}` });
  };
  return (
    <>
      <More
        items={[
          acts.canManage && { label: t.endpoint.edit, icon: 'edit', onSelect: open('edit') },
          acts.canManage && { label: t.endpoint.headersEdit, icon: 'settings', onSelect: open('headers') },
          acts.canManage &&
            (endpoint.disabled
              ? { label: t.endpoint.enable, icon: 'play', onSelect: () => void acts.setDisabled(false) }
              : { label: t.endpoint.disable, icon: 'cancelled', onSelect: open('disable') }),
          acts.canManage && { label: t.delete, icon: 'trash', isDangerous: true, onSelect: open('delete') },
        ]}
      />
      {acts.canPause &&
        (endpoint.pausedAt ? (
          <Button icon="play" onClick={acts.resume}>
            {t.endpoint.resume}
          </Button>
        ) : (
          <Button icon="held" onClick={open('pause')}>
            {t.endpoint.pause}
          </Button>
        ))}
      {acts.canSend && <Button onClick={open('recover')}>{t.endpoint.recover}</Button>}
      {acts.canSend && (
        <Button kind="primary" icon="play" onClick={open('test')}>
          {t.endpoint.test}
        </Button>
      )}
      <EndpointForm appId={appId} endpoint={endpoint} isOpen={acts.canManage && url.panel === 'edit'} onClose={close} />
      <HeadersForm
        appId={appId}
        endpoint={endpoint}
        isOpen={acts.canManage && url.panel === 'headers'}
        onClose={close}
      />
      <Recover appId={appId} endpoint={endpoint} isOpen={acts.canSend && url.panel === 'recover'} onClose={close} />
      <CheckPanel appId={appId} endpoint={endpoint} isOpen={acts.canSend && url.panel === 'test'} onClose={close} />
      <Ask
        isOpen={acts.canPause && url.panel === 'pause'}
        onClose={close}
        title={t.endpoint.pauseTitle}
        act={t.endpoint.pauseAct}
        onAct={acts.pause}
      >
        <p>{t.endpoint.pauseText}</p>
      </Ask>
      <Ask
        isOpen={acts.canManage && url.panel === 'disable'}
        onClose={close}
        title={t.endpoint.disableTitle}
        act={t.endpoint.disableAct}
        onAct={() => acts.setDisabled(true)}
      >
        <p>{t.endpoint.disableText}</p>
      </Ask>
      <Ask
        isOpen={acts.canManage && url.panel === 'delete'}
        onClose={close}
        title={t.endpoint.deleteTitle}
        act={t.deleteNow}
        isDangerous
        onAct={remove}
      >
        <p>{t.endpoint.deleteText}</p>
      </Ask>
    </>
  );
}
