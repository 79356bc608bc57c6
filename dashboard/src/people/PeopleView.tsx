// The people who signed in through the identity provider.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, client } from '../api/client';
import type { Schemas } from '../api/types';
import { Button } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { type Column, Table } from '../design/tables/Table';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { useUrl } from '../navigation/url';

type Person = Schemas['PersonOut'];

export function PeopleView() {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const queries = useQueryClient();
  const list = api.useQuery('get', '/api/v1/person', { params: { query: { limit: 50, iterator: url.iterator } } });
  const signOut = useMutation({
    mutationFn: (id: string) =>
      client.DELETE('/api/v1/person/{person_id}/session', { params: { path: { person_id: id } } }),
    onSuccess: () => queries.invalidateQueries(),
  });
  const columns: Column<Person>[] = [
    {
      id: 'name',
      head: t.name,
      isWide: true,
      narrow: 'lead',
      cell: (row) => <span className="medium">{row.name ?? row.email ?? row.id}</span>,
    },
    { id: 'email', head: t.people.email, narrow: 'line', cell: (row) => <span className="dim">{row.email}</span> },
    {
      id: 'role',
      head: t.apiKeys.role,
      narrow: 'line',
      cell: (row) => (
        <span>
          {t.apiKeys.roles(row.role)} <span className="faint">{row.environmentId}</span>
        </span>
      ),
    },
    { id: 'seen', head: t.people.seen, narrow: 'named', cell: (row) => <Time at={row.lastSeenAt} /> },
    {
      id: 'sessions',
      head: t.people.sessions,
      isNumber: true,
      narrow: 'named',
      cell: (row) => format.number(row.sessions),
    },
    {
      id: 'act',
      head: <span className="visually-hidden">{t.people.signOut}</span>,
      isNumber: true,
      narrow: 'end',
      cell: (row) =>
        row.sessions > 0 && (
          <Button small onClick={() => signOut.mutate(row.id)}>
            {t.people.signOut}
          </Button>
        ),
    },
  ];
  return (
    <>
      <PageHead title={t.shell.people}>
        <p>{t.people.note}</p>
      </PageHead>
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.shell.people}>
          <Table
            label={t.shell.people}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              <Empty icon="people" title={t.people.none}>
                {t.people.noneNote}
              </Empty>
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
    </>
  );
}
