// The settings in force on the node that answers; secrets are masked.
import { api } from '../api/client';
import type { Schemas } from '../api/types';
import { FilterBar } from '../design/controls/FilterBar';
import { LateLine } from '../design/feedback/Loaded';
import { Failure, NoMatch } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { Rich } from '../design/values/Rich';
import { Tag } from '../design/values/State';
import { useT } from '../i18n';
import { useUrl } from '../navigation/url';
import './settings.css';

type Setting = Schemas['SettingOut'];

export function SettingsView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const query = api.useQuery('get', '/api/v1/admin/settings');
  const description = (row: Setting) => t.settings.description(row.name, row.description);
  const wanted = url.q?.toLowerCase() ?? '';
  const rows = query.data?.data.filter(
    (row) =>
      (url.from === undefined || row.from === url.from) &&
      `${row.name} ${description(row)}`.toLowerCase().includes(wanted),
  );
  const columns: Column<Setting>[] = [
    { id: 'name', head: t.settings.setting, narrow: 'lead', cell: (row) => <span className="mono">{row.name}</span> },
    {
      id: 'value',
      head: t.settings.value,
      narrow: 'line',
      cell: (row) => (
        <span className="mono medium cut setting-value" title={row.value ?? undefined}>
          {row.value || <span className="faint">{t.none}</span>}
        </span>
      ),
    },
    {
      id: 'from',
      head: t.settings.from,
      narrow: 'end',
      cell: (row) =>
        row.from === 'default' ? (
          <span className="faint">{t.settings.sources.default}</span>
        ) : (
          <Tag>{t.settings.sources[row.from]}</Tag>
        ),
    },
    {
      id: 'description',
      head: t.endpoint.description,
      narrow: 'line',
      cell: (row) => (
        <span className="dim setting-description">
          <Rich text={description(row)} />
        </span>
      ),
    },
  ];
  return (
    <>
      <PageHead title={t.shell.settings}>
        <LateLine
          text={query.data && t.settings.note(query.data.nodeName, query.data.version)}
          isAwaited={query.isPending}
        />
      </PageHead>
      <FilterBar
        values={url}
        onChange={setUrl}
        search={{ name: 'q', placeholder: t.settings.search }}
        filters={[
          {
            name: 'from',
            label: t.settings.from,
            options: (['file', 'environment', 'flag', 'default'] as const).map((value) => ({
              value,
              label: t.settings.sources[value],
            })),
          },
        ]}
      />
      {query.error && !query.data && <Failure error={query.error} onRetry={query.refetch} />}
      <Card label={t.shell.settings}>
        <Table
          label={t.shell.settings}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.name}
          expected={12}
          empty={<NoMatch onClear={() => setUrl({ q: undefined, from: undefined })} />}
        />
      </Card>
    </>
  );
}
