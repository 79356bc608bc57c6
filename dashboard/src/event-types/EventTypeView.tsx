// One event type: schema, example, who gets it, how much.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, client } from '../api/client';
import type { EventType, Schemas } from '../api/types';
import { AuditCard } from '../audit-log/AuditCard';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { Loaded } from '../design/feedback/Loaded';
import { Empty } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { JsonView } from '../design/values/JsonView';
import { StateWord, Tag } from '../design/values/State';
import { EndpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { Go, usePlaces } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { EventTypeForm } from './EventTypeForm';
import { examplesOf } from './examples';

export function EventTypeView() {
  const query = api.useQuery('get', '/api/v1/event-type/{event_type_name}', {
    params: { path: { event_type_name: useParam('name') } },
  });
  return <Loaded query={query}>{(type) => <Content type={type} />}</Loaded>;
}

function Content({ type }: { type: EventType }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { isPortal } = usePlaces();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const close = () => setUrl({ panel: undefined });
  const path = { event_type_name: type.name };
  const archive = async (archived: boolean) => {
    await client.PATCH('/api/v1/event-type/{event_type_name}', { params: { path }, body: { archived } });
    await queries.invalidateQueries();
  };
  const remove = async () => {
    await client.DELETE('/api/v1/event-type/{event_type_name}', { params: { path, query: { expunge: true } } });
    await queries.invalidateQueries();
    await navigate({ to: '/event-types' });
  };
  const examples = examplesOf(type.schemas);
  return (
    <>
      <PageHead
        title={type.name}
        crumbs={
          <>
            <Go to="/event-types">{t.eventTypes.title}</Go>
            <span aria-hidden="true">›</span>
            <span aria-current="page">{type.name}</span>
          </>
        }
        actions={
          !isPortal && (
            <>
              <More
                items={[
                  { label: t.delete, icon: 'trash', isDangerous: true, onSelect: () => setUrl({ panel: 'delete' }) },
                ]}
              />
              {type.archived ? (
                <Button onClick={() => archive(false)}>{t.eventTypes.unarchive}</Button>
              ) : (
                <Button onClick={() => setUrl({ panel: 'archive' })}>{t.eventTypes.archive}</Button>
              )}
              <Button kind="primary" icon="edit" onClick={() => setUrl({ panel: 'edit' })}>
                {t.edit}
              </Button>
            </>
          )
        }
      >
        <p>{type.description}</p>
        <span className="tags page-tags">
          {type.groupName && <Tag>{type.groupName}</Tag>}
          {type.archived && <Tag>{t.eventTypes.archived}</Tag>}
          {type.deprecated && <Tag>{t.eventTypes.deprecated}</Tag>}
        </span>
      </PageHead>
      <div className="stack">
        {!isPortal && <Subscribers name={type.name} />}
        <AuditCard filter={{ object_id: type.name }} />
        {examples.map((example, place) => (
          <JsonView key={place} title={t.eventTypes.example} text={JSON.stringify(example)} />
        ))}
        {type.schemas ? (
          <JsonView title={t.eventTypes.schemas} text={JSON.stringify(type.schemas)} />
        ) : (
          <Card title={t.eventTypes.schemas}>
            <Empty title={t.eventTypes.noSchema}>{t.eventTypes.noSchemaNote}</Empty>
          </Card>
        )}
      </div>
      <EventTypeForm isOpen={url.panel === 'edit'} onClose={close} type={type} />
      <Ask
        isOpen={url.panel === 'archive'}
        onClose={close}
        title={t.eventTypes.archiveTitle(type.name)}
        act={t.eventTypes.archiveAct}
        onAct={() => archive(true)}
      >
        <p>{t.eventTypes.archiveText}</p>
      </Ask>
      <Ask
        isOpen={url.panel === 'delete'}
        onClose={close}
        title={t.eventTypes.deleteTitle(type.name)}
        act={t.deleteNow}
        isDangerous
        onAct={remove}
      >
        <p>{t.eventTypes.deleteText}</p>
      </Ask>
    </>
  );
}

function Subscribers({ name }: { name: string }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const places = usePlaces();
  const list = api.useQuery('get', '/api/v1/event-type/{event_type_name}/endpoint', {
    params: { path: { event_type_name: name }, query: { limit: 20, iterator: url.iterator } },
  });
  const columns: Column<Schemas['SubscriberOut']>[] = [
    {
      id: 'application',
      head: t.application.application,
      narrow: 'line',
      cell: (row) => <Go to={places.application(row.appId) ?? '/'}>{row.appName}</Go>,
    },
    {
      id: 'endpoint',
      head: t.endpoint.endpoint,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.endpoint(row.appId, row.endpointId)} opens>
          <EndpointName url={row.url} />
        </Go>
      ),
    },
    {
      id: 'how',
      head: t.eventTypes.asks,
      narrow: 'line',
      cell: (row) => (
        <span className="dim">{row.asksForEverything ? t.eventTypes.everything : t.eventTypes.byName}</span>
      ),
    },
    {
      id: 'state',
      head: t.underWay.state,
      narrow: 'end',
      cell: (row) => (
        <StateWord
          state={row.disabled ? 'held' : 'delivered'}
          word={t.endpoint.standing(row.disabled ? 'disabled' : 'active')}
        />
      ),
    },
  ];
  return (
    <Card title={t.eventTypes.whoListens}>
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Table
          label={t.eventTypes.whoListens}
          columns={columns}
          rows={list.data?.data}
          rowKey={(row) => row.endpointId}
          empty={
            <Empty icon="external" title={t.eventTypes.nobody}>
              {t.eventTypes.nobodyNote}
            </Empty>
          }
        />
      )}
      <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
    </Card>
  );
}
