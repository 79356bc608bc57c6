// API keys: what each may do, when it was last used; made and revoked here. A key is shown once.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, client, everywhere } from '../api/client';
import type { ApiKey } from '../api/types';
import { Button } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Ask, Dialog } from '../design/layout/Dialog';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { CopyButton } from '../design/values/Id';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { useShell } from '../shell/Nav';
import { ApiKeyForm } from './ApiKeyForm';

export function ApiKeysView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { session } = useShell();
  const queries = useQueryClient();
  const isOperator = session.role === 'operator';
  const [made, setMade] = useState<ApiKey | null>(null);
  const query = { limit: 50, order: 'descending' as const, iterator: url.iterator };
  const ofAll = api.useQuery(
    'get',
    '/api/v1/admin/api-key',
    { params: { query, header: everywhere } },
    { enabled: isOperator },
  );
  const ofOne = api.useQuery('get', '/api/v1/api-key', { params: { query } }, { enabled: !isOperator });
  const list = isOperator ? ofAll : ofOne;
  const revoking = list.data?.data.find((key) => key.id === url.revoke);
  const revoke = async () => {
    const path = { key_id: url.revoke ?? '' };
    await (isOperator
      ? client.DELETE('/api/v1/admin/api-key/{key_id}', { params: { path, header: everywhere } })
      : client.DELETE('/api/v1/api-key/{key_id}', { params: { path } }));
    await queries.invalidateQueries();
  };
  const columns: Column<ApiKey>[] = [
    {
      id: 'name',
      head: t.name,
      isWide: true,
      narrow: 'lead',
      cell: (row) => <span className="medium">{row.name}</span>,
    },
    { id: 'hint', head: t.apiKeys.key, narrow: 'line', cell: (row) => <span className="mono dim">{row.hint}…</span> },
    {
      id: 'role',
      head: t.apiKeys.role,
      narrow: 'line',
      cell: (row) =>
        row.appId ? (
          <Go to={`/applications/${row.appId}`}>{t.apiKeys.roles(row.role)}</Go>
        ) : (
          <span>
            {t.apiKeys.roles(row.role)} <span className="faint">{row.environmentId}</span>
          </span>
        ),
    },
    { id: 'state', head: t.underWay.state, narrow: 'line', cell: (row) => <KeyState apiKey={row} /> },
    {
      id: 'used',
      head: t.apiKeys.lastUsed,
      narrow: 'named',
      cell: (row) => (row.lastUsedAt ? <Time at={row.lastUsedAt} /> : <span className="dim">{t.apiKeys.never}</span>),
    },
    {
      id: 'created',
      head: t.created,
      isNumber: true,
      narrow: 'hidden',
      cell: (row) => <Time at={row.createdAt} as="moment" />,
    },
    {
      id: 'act',
      head: <span className="visually-hidden">{t.apiKeys.revoke}</span>,
      isNumber: true,
      narrow: 'end',
      cell: (row) =>
        !row.revokedAt && (
          <Button small kind="danger" onClick={() => setUrl({ revoke: row.id })}>
            {t.apiKeys.revoke}
          </Button>
        ),
    },
  ];
  return (
    <>
      <PageHead
        title={t.shell.apiKeys}
        actions={
          <Button kind="primary" icon="plus" onClick={() => setUrl({ panel: 'new' })}>
            {t.apiKeys.create}
          </Button>
        }
      >
        <p>{t.apiKeys.note}</p>
      </PageHead>
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.shell.apiKeys}>
          <Table
            label={t.shell.apiKeys}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              <Empty icon="key" title={t.apiKeys.none}>
                {t.apiKeys.noneNote}
              </Empty>
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
      <ApiKeyForm isOpen={url.panel === 'new'} onClose={() => setUrl({ panel: undefined })} onMade={setMade} />
      <Ask
        isOpen={url.revoke !== undefined}
        onClose={() => setUrl({ revoke: undefined })}
        title={t.apiKeys.revokeTitle(revoking?.name ?? '')}
        act={t.apiKeys.revokeAct}
        isDangerous
        onAct={revoke}
      >
        <p>{t.apiKeys.revokeText}</p>
      </Ask>
      <Dialog
        isOpen={made !== null}
        onClose={() => setMade(null)}
        title={t.apiKeys.madeTitle}
        footer={
          <Button kind="primary" onClick={() => setMade(null)}>
            {t.apiKeys.kept}
          </Button>
        }
      >
        <p>{t.apiKeys.madeText}</p>
        <div className="row">
          <code className="code grow">{made?.key}</code>
          <CopyButton text={made?.key ?? ''} />
        </div>
      </Dialog>
    </>
  );
}

function KeyState({ apiKey }: { apiKey: ApiKey }) {
  const t = useT();
  const isOver =
    apiKey.expiresAt !== null && apiKey.expiresAt !== undefined && new Date(apiKey.expiresAt).getTime() < Date.now();
  if (apiKey.revokedAt) return <StateWord state="cancelled" word={t.apiKeys.revoked} />;
  if (isOver) return <StateWord state="cancelled" word={t.apiKeys.over} />;
  return (
    <span>
      <StateWord state="delivered" word={t.apiKeys.valid} />{' '}
      {apiKey.expiresAt && (
        <span className="faint">
          {t.apiKeys.until} <Time at={apiKey.expiresAt} as="moment" />
        </span>
      )}
    </span>
  );
}
