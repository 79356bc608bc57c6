// The endpoint's secret, shown on demand.
import { useState } from 'react';
import { client } from '../api/client';
import type { Endpoint } from '../api/types';
import { Button } from '../design/controls/Button';
import { Card } from '../design/layout/Card';
import { CopyButton } from '../design/values/Id';
import { useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { useAccess } from './context';

export function SecretCard({ endpoint }: { endpoint: Endpoint }) {
  const t = useT();
  const { appId } = useAccess();
  const { may } = usePermissions();
  const [secret, setSecret] = useState<string | null>(null);
  if (!may('ViewEndpointSecret')) return null;
  const reveal = async () => {
    if (secret) return setSecret(null);
    const { data } = await client.GET('/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret', {
      params: { path: { app_id: appId, endpoint_id: endpoint.id } },
    });
    setSecret(data?.key ?? null);
  };
  return (
    <Card title={t.portal.secret} padded>
      <div className="stack tight">
        <div className="row">
          <code className="code grow cut">{secret ?? 'whsec_••••••••••••••••'}</code>
          {secret && <CopyButton text={secret} />}
          <Button small kind="quiet" icon="eye" onClick={reveal}>
            {secret ? t.hide : t.show}
          </Button>
        </div>
        <p className="caption">{t.portal.secretNote}</p>
      </div>
    </Card>
  );
}
