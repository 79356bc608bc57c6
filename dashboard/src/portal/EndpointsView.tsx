// The tenant's endpoints: the first view of the portal.
import { api } from '../api/client';
import { ButtonLink } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { Pager } from '../design/tables/Pager';
import { Table } from '../design/tables/Table';
import { useEndpointCharts, useEndpointColumns } from '../endpoints/EndpointsTable';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { usePermissions } from '../navigation/permissions';
import { useUrl } from '../navigation/url';
import '../overview/overview.css';
import { useAccess } from './context';

export function EndpointsView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { appId } = useAccess();
  const { may } = usePermissions();
  const list = api.useQuery('get', '/api/v1/app/{app_id}/endpoint', {
    params: { path: { app_id: appId }, query: { limit: 50, iterator: url.iterator } },
  });
  const charts = useEndpointCharts(appId, list.data?.data);
  const add = may('ManageEndpoint') && (
    <ButtonLink to="/add" kind="primary" icon="plus">
      {t.portal.add}
    </ButtonLink>
  );
  const columns = useEndpointColumns(appId, charts);
  return (
    <>
      <PageHead title={t.portal.yours} actions={add} />
      {list.error && !list.data ? (
        <ListFailure error={list.error} onRetry={list.refetch} />
      ) : (
        <Card label={t.portal.yours}>
          <Table
            label={t.portal.yours}
            columns={columns}
            rows={list.data?.data}
            rowKey={(row) => row.id}
            empty={
              <Empty icon="external" title={t.portal.none} action={add}>
                {t.portal.noneNote}
              </Empty>
            }
          />
          <Pager page={list.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </Card>
      )}
    </>
  );
}
