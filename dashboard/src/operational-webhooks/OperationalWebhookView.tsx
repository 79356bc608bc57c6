// One operational webhook: what it is told, its secret.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, client } from '../api/client';
import type { Endpoint } from '../api/types';
import { AuditCard } from '../audit-log/AuditCard';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { Loaded } from '../design/feedback/Loaded';
import { toast } from '../design/feedback/toast';
import { Card, Facts, PageHead } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { CopyButton, Id } from '../design/values/Id';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { EndpointName, endpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { Go } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { OperationalForm, TypeTags } from './OperationalWebhooksView';

export function OperationalWebhookView() {
  const query = api.useQuery('get', '/api/v1/operational-webhook/endpoint/{endpoint_id}', {
    params: { path: { endpoint_id: useParam('endpointId') } },
  });
  return <Loaded query={query}>{(endpoint) => <Content endpoint={endpoint} />}</Loaded>;
}

function Content({ endpoint }: { endpoint: Endpoint }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [secret, setSecret] = useState<string | null>(null);
  const path = { endpoint_id: endpoint.id };
  const close = () => setUrl({ panel: undefined });
  const base = '/api/v1/operational-webhook/endpoint/{endpoint_id}';
  const reveal = async () => {
    if (secret) return setSecret(null);
    const { data } = await client.GET(`${base}/secret`, { params: { path } });
    setSecret(data?.key ?? null);
  };
  const rotate = async () => {
    await client.POST(`${base}/secret/rotate`, { params: { path }, body: {} });
    setSecret(null);
    toast(t.secrets.rotated);
  };
  const remove = async () => {
    await client.DELETE(base, { params: { path } });
    await queries.invalidateQueries();
    await navigate({ to: '/operational-webhooks' });
  };
  return (
    <>
      <PageHead
        title={<EndpointName url={endpoint.url} />}
        crumbs={
          <>
            <Go to="/operational-webhooks">{t.shell.operationalWebhooks}</Go>
            <span aria-hidden="true">›</span>
            <span aria-current="page" className="cut">
              {endpointName(endpoint.url)}
            </span>
          </>
        }
        actions={
          <>
            <More
              items={[
                { label: t.delete, icon: 'trash', isDangerous: true, onSelect: () => setUrl({ panel: 'delete' }) },
              ]}
            />
            <Button kind="primary" icon="edit" onClick={() => setUrl({ panel: 'edit' })}>
              {t.edit}
            </Button>
          </>
        }
      >
        <Id id={endpoint.id} whole />
        {endpoint.description && <p>{endpoint.description}</p>}
      </PageHead>
      <div className="columns half">
        <Card title={t.endpoint.endpoint} padded>
          <Facts
            rows={[
              [
                t.underWay.state,
                <StateWord
                  key="s"
                  state={endpoint.disabled ? 'held' : 'delivered'}
                  word={t.endpoint.standing(endpoint.disabled ? 'disabled' : 'active')}
                />,
              ],
              [t.operational.tells, <TypeTags key="t" types={endpoint.eventTypes} />],
              [t.created, <Time key="c" at={endpoint.createdAt} as="full" />],
              [t.updated, <Time key="u" at={endpoint.updatedAt} as="full" />],
            ]}
          />
        </Card>
        <Card
          title={t.secrets.title}
          end={
            <Button small onClick={() => setUrl({ panel: 'rotate' })}>
              {t.secrets.rotate}
            </Button>
          }
          padded
        >
          <div className="row">
            <code className="mono dim grow cut">{secret ?? 'whsec_••••••••••••••••'}</code>
            {secret && <CopyButton text={secret} />}
            <Button small kind="quiet" icon="eye" onClick={reveal}>
              {secret ? t.hide : t.show}
            </Button>
          </div>
        </Card>
        <AuditCard filter={{ object_id: endpoint.id }} />
      </div>
      <OperationalForm isOpen={url.panel === 'edit'} onClose={close} endpoint={endpoint} />
      <Ask
        isOpen={url.panel === 'rotate'}
        onClose={close}
        title={t.secrets.rotateTitle}
        act={t.secrets.rotateAct}
        onAct={rotate}
      >
        <p>{t.secrets.rotateText}</p>
      </Ask>
      <Ask
        isOpen={url.panel === 'delete'}
        onClose={close}
        title={t.endpoint.deleteTitle}
        act={t.deleteNow}
        isDangerous
        onAct={remove}
      >
        <p>{t.operational.deleteText}</p>
      </Ask>
    </>
  );
}
