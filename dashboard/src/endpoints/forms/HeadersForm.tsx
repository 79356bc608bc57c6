// The endpoint's own headers. Values that count as secret are not shown; an untouched one stays as it is.
import { TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, client } from '../../api/client';
import type { Endpoint } from '../../api/types';
import { Button } from '../../design/controls/Button';
import { FormPanel } from '../../design/layout/Dialog';
import { useT } from '../../i18n';
import { endpointName } from '../name';

interface Row {
  name: string;
  value: string;
}

interface Change {
  headers: Record<string, string>;
  deleteHeaders: string[];
}

/** What has to be said to the server: changed and new ones, and the names that are gone. */
export function headerChange(before: Row[], after: Row[]): Change {
  const kept = after.filter((row) => row.name.trim() !== '');
  const names = new Set(kept.map((row) => row.name.trim().toLowerCase()));
  const isNew = (row: Row) =>
    !before.some((each) => each.name.toLowerCase() === row.name.trim().toLowerCase() && each.value === row.value);
  return {
    headers: Object.fromEntries(kept.filter((row) => isNew(row)).map((row) => [row.name.trim(), row.value])),
    deleteHeaders: before.map((row) => row.name).filter((name) => !names.has(name.toLowerCase())),
  };
}

export function HeadersForm({
  appId,
  endpoint,
  isOpen,
  onClose,
}: {
  appId: string;
  endpoint: Endpoint;
  isOpen: boolean;
  onClose: () => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const path = { app_id: appId, endpoint_id: endpoint.id };
  const query = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers',
    { params: { path } },
    { enabled: isOpen },
  );
  const [before, setBefore] = useState<Row[]>([]);
  const [rows, setRows] = useState<Row[]>([]);

  useEffect(() => {
    if (!isOpen || !query.data) return;
    const shown = Object.entries(query.data.headers as Record<string, string>).map(([name, value]) => ({
      name,
      value,
    }));
    const known = [...shown, ...query.data.sensitive.map((name) => ({ name, value: '' }))];
    setBefore(known);
    setRows([...known, { name: '', value: '' }]);
  }, [isOpen, query.data]);

  const change = (place: number, patch: Partial<Row>) =>
    setRows((now) => now.map((row, index) => (index === place ? { ...row, ...patch } : row)));
  const submit = async () => {
    await client.PATCH('/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers', {
      params: { path },
      body: headerChange(before, rows),
    });
    await queries.invalidateQueries();
  };
  const isSecret = (name: string) => query.data?.sensitive.includes(name) ?? false;
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={t.headers.title}
      note={endpointName(endpoint.url)}
      act={t.save}
      onSubmit={submit}
    >
      <p className="small dim">{t.headers.note}</p>
      {rows.map((row, place) => (
        <div className="row" key={place}>
          <TextInput
            className="grow"
            aria-label={t.headers.name}
            placeholder="x-tenant"
            value={row.name}
            onChange={(event) => change(place, { name: event.target.value })}
          />
          <TextInput
            className="grow"
            aria-label={t.headers.value}
            placeholder={isSecret(row.name) ? t.headers.kept : ''}
            value={row.value}
            onChange={(event) => change(place, { value: event.target.value })}
          />
          <Button
            kind="quiet"
            icon="cross"
            iconOnly
            onClick={() => setRows((now) => now.filter((_, index) => index !== place))}
          >
            {t.headers.remove}
          </Button>
        </div>
      ))}
      <div>
        <Button small icon="plus" onClick={() => setRows((now) => [...now, { name: '', value: '' }])}>
          {t.headers.add}
        </Button>
      </div>
    </FormPanel>
  );
}
