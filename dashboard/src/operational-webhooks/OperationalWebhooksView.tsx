// Endpoints of the operator's own, told of what becomes of tenants' endpoints.
import { TagsInput, Textarea, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, client } from '../api/client';
import type { Endpoint } from '../api/types';
import { Button } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { FormPanel } from '../design/layout/Dialog';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { StateWord, Tag } from '../design/values/State';
import { Time } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';

export const operationalTypes = [
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
  'endpoint.disabled',
  'dead_letter.created',
  'message.attempt.exhausted',
  'message.attempt.failing',
  'message.attempt.recovered',
  'alert.fired',
  'alert.recovered',
  'alert.test',
];

export function OperationalWebhooksView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const list = api.useQuery('get', '/api/v1/operational-webhook/endpoint', {
    params: { query: { limit: 50, iterator: url.iterator } },
  });
  const create = () => setUrl({ panel: 'new' });
  const columns: Column<Endpoint>[] = [
    {
      id: 'url',
      head: 'URL',
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={`/operational-webhooks/${row.id}`} opens>
          <EndpointName url={row.url} />
        </Go>
      ),
    },
    {
      id: 'description',
      head: t.endpoint.description,
      narrow: 'line',
      cell: (row) => <span className="dim">{row.description}</span>,
    },
    { id: 'types', head: t.operational.tells, narrow: 'named', cell: (row) => <TypeTags types={row.eventTypes} /> },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'line',
      cell: (row) => (
        <StateWord
          state={row.disabled ? 'held' : 'delivered'}
          word={t.endpoint.standing(row.disabled ? 'disabled' : 'active')}
        />
      ),
    },
    {
      id: 'created',
      head: t.created,
      isNumber: true,
      narrow: 'end',
      cell: (row) => <Time at={row.createdAt} as="moment" />,
    },
  ];
  return (
    <>
      <PageHead
        title={t.shell.operationalWebhooks}
        actions={
          <Button kind="primary" icon="plus" onClick={create}>
            {t.operational.create}
          </Button>
        }
      >
        <p>{t.operational.note}</p>
      </PageHead>
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.shell.operationalWebhooks}>
          <Table
            label={t.shell.operationalWebhooks}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              <Empty
                icon="operational"
                title={t.operational.none}
                action={<Button onClick={create}>{t.operational.create}</Button>}
              >
                {t.operational.noneNote}
              </Empty>
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
      <OperationalForm isOpen={url.panel === 'new'} onClose={() => setUrl({ panel: undefined })} />
    </>
  );
}

export function TypeTags({ types }: { types: string[] | null | undefined }) {
  const t = useT();
  if (!types || types.length === 0) return <span className="dim">{t.all}</span>;
  return (
    <span className="tags">
      {types.map((type) => (
        <Tag key={type} mono>
          {type}
        </Tag>
      ))}
    </span>
  );
}

export function OperationalForm({
  isOpen,
  onClose,
  endpoint,
}: {
  isOpen: boolean;
  onClose: () => void;
  endpoint?: Endpoint;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [url, setUrl] = useState('');
  const [description, setDescription] = useState('');
  const [types, setTypes] = useState<string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (!isOpen) return;
    setUrl(endpoint?.url ?? '');
    setDescription(endpoint?.description ?? '');
    setTypes(endpoint?.eventTypes ?? []);
  }, [isOpen]);
  const submit = async () => {
    const body = { url: url.trim(), description, eventTypes: types.length > 0 ? types : null };
    if (endpoint)
      await client.PUT('/api/v1/operational-webhook/endpoint/{endpoint_id}', {
        params: { path: { endpoint_id: endpoint.id } },
        body: { ...body, disabled: endpoint.disabled, uid: endpoint.uid, metadata: endpoint.metadata },
      });
    else await client.POST('/api/v1/operational-webhook/endpoint', { body });
    await queries.invalidateQueries();
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={endpoint ? t.endpoint.edit : t.operational.create}
      act={endpoint ? t.save : t.create}
      onSubmit={submit}
    >
      <TextInput
        label="URL"
        type="url"
        value={url}
        onChange={(event) => setUrl(event.target.value)}
        required
        data-autofocus
      />
      <Textarea
        label={t.endpoint.description}
        value={description}
        onChange={(event) => setDescription(event.target.value)}
        rows={2}
      />
      <TagsInput
        label={t.operational.tells}
        description={t.operational.tellsNote}
        data={operationalTypes}
        value={types}
        onChange={setTypes}
      />
    </FormPanel>
  );
}
