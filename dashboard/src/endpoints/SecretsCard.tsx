// The secrets that sign now: the current one, and rotated ones until their grace is over.
import { NativeSelect } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import type { Endpoint, Schemas } from '../api/types';
import { Button } from '../design/controls/Button';
import { Skeleton } from '../design/feedback/Loaded';
import { toast } from '../design/feedback/toast';
import { Card } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { CopyButton } from '../design/values/Id';
import { StateWord } from '../design/values/State';
import { useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { useUrl } from '../navigation/url';
import './health.css';

type Secret = Schemas['SecretOut'];
const hour = 3600;
const graces = [0, hour, 24 * hour, 7 * 24 * hour];
const usualGrace = 24 * hour;

interface Props {
  appId: string;
  endpoint: Endpoint;
  secrets: Secret[] | undefined;
}

export function SecretsCard({ appId, endpoint, secrets }: Props) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const queries = useQueryClient();
  const { may } = usePermissions();
  const [grace, setGrace] = useState(usualGrace);
  const path = { app_id: appId, endpoint_id: endpoint.id };
  const rotate = async () => {
    await client.POST('/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate', {
      params: { path },
      body: { gracePeriodSeconds: grace },
    });
    await queries.invalidateQueries();
    toast(t.secrets.rotated);
  };
  const end = async () => {
    await client.DELETE('/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/{secret_id}', {
      params: { path: { ...path, secret_id: url.id ?? '' } },
    });
    await queries.invalidateQueries();
  };
  if (!may('ViewEndpointSecret')) return null;
  return (
    <Card
      title={t.secrets.title}
      end={
        may('ManageEndpointSecret') && (
          <Button small onClick={() => setUrl({ panel: 'rotate' })}>
            {t.secrets.rotate}
          </Button>
        )
      }
      padded
    >
      {!secrets && <Skeleton height={64} />}
      {secrets?.map((secret) => (
        <SecretRow key={secret.id} appId={appId} endpoint={endpoint} secret={secret} />
      ))}
      <Ask
        isOpen={may('ManageEndpointSecret') && url.panel === 'rotate'}
        onClose={() => setUrl({ panel: undefined })}
        title={t.secrets.rotateTitle}
        act={t.secrets.rotateAct}
        onAct={rotate}
      >
        <p>{t.secrets.rotateText}</p>
        <NativeSelect
          label={t.secrets.grace}
          value={String(grace)}
          onChange={(event) => setGrace(Number(event.target.value))}
          data={graces.map((value) => ({ value: String(value), label: t.secrets.graces(value / hour) }))}
        />
      </Ask>
      <Ask
        isOpen={may('ManageEndpointSecret') && url.panel === 'end-secret'}
        onClose={() => setUrl({ panel: undefined, id: undefined })}
        title={t.secrets.endTitle}
        act={t.secrets.endAct}
        isDangerous
        onAct={end}
      >
        <p>{t.secrets.endText}</p>
      </Ask>
    </Card>
  );
}

function SecretRow({ appId, endpoint, secret }: { appId: string; endpoint: Endpoint; secret: Secret }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const [, setUrl] = useUrl();
  const { may } = usePermissions();
  const [shown, setShown] = useState<string | null>(null);
  const path = { app_id: appId, endpoint_id: endpoint.id };
  const reveal = async () => {
    if (shown) return setShown(null);
    const { data } = await client.GET('/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret', { params: { path } });
    setShown(data?.key ?? null);
  };
  const left = secret.expiresAt ? Math.max(0, new Date(secret.expiresAt).getTime() - now) : null;
  const whole = secret.expiresAt ? new Date(secret.expiresAt).getTime() - new Date(secret.createdAt).getTime() : 1;
  return (
    <div className="secret">
      <div className="row">
        <StateWord
          state={left === null ? 'delivered' : 'waiting'}
          icon={left === null ? 'key' : 'waiting'}
          word={left === null ? t.secrets.signs : t.secrets.signsUntil(format.moment(secret.expiresAt ?? '', now))}
        />
        <span className="grow" />
        {left === null && (
          <Button small kind="quiet" icon="eye" onClick={reveal}>
            {shown ? t.hide : t.show}
          </Button>
        )}
        {left !== null && may('ManageEndpointSecret') && (
          <Button small kind="quiet" className="dead" onClick={() => setUrl({ panel: 'end-secret', id: secret.id })}>
            {t.secrets.endNow}
          </Button>
        )}
      </div>
      <div className="row">
        <code className="mono dim">{shown ?? `${secret.hint}••••••••••••`}</code>
        {shown && <CopyButton text={shown} />}
      </div>
      <p className="caption">
        {t.secrets.kinds[secret.kind]} · {t.secrets.since(format.moment(secret.createdAt, now))}
      </p>
      {left !== null && (
        <>
          <div className="grace-bar">
            <i style={{ width: `${Math.min(100, (100 * left) / whole)}%` }} />
          </div>
          <p className="caption">{t.secrets.both(format.duration(left))}</p>
        </>
      )}
    </div>
  );
}
