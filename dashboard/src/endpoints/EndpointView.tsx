// One endpoint: how it does, what waits and why, its attempts, its settings.
import { api } from '../api/client';
import { useLive } from '../api/live';
import type { Endpoint, EndpointOverview, Range } from '../api/types';
import { useApplication } from '../applications/ApplicationView';
import { AuditTable } from '../audit-log/AuditTable';
import { DeadLetterList } from '../dead-letters/DeadLetterList';
import { Segmented } from '../design/controls/Segmented';
import { LiveMark } from '../design/feedback/LiveMark';
import { Loaded, Skeleton } from '../design/feedback/Loaded';
import { Card, PageHead } from '../design/layout/Card';
import { TabLink, Tabs } from '../design/layout/Tabs';
import { Id, shortId } from '../design/values/Id';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import { MessageList } from '../messages/MessageList';
import { Go, usePlaces } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { rangeOf } from '../overview/queries';
import { AttemptsTable } from './AttemptsTable';
import { EndpointActions } from './EndpointActions';
import { EndpointAside } from './EndpointAside';
import { EndpointCallout } from './EndpointCallout';
import { EndpointFigures } from './EndpointFigures';
import { Health } from './Health';
import { EndpointName, endpointName } from './name';

const tabs = ['health', 'messages', 'attempts', 'dead-letters', 'audit'] as const;
export const endpointRanges: Range[] = ['3h', '24h', '7d', '30d'];
const refetchMs = 10_000;

export function useEndpoint(appId: string, endpointId: string) {
  return api.useQuery('get', '/api/v1/app/{app_id}/endpoint/{endpoint_id}', {
    params: { path: { app_id: appId, endpoint_id: endpointId } },
  });
}

export function useEndpointOverview(appId: string, endpointId: string, range: Range) {
  return api.useQuery(
    'get',
    '/api/v1/app/{app_id}/endpoint/{endpoint_id}/overview',
    { params: { path: { app_id: appId, endpoint_id: endpointId }, query: { range } } },
    { refetchInterval: refetchMs },
  );
}

export function EndpointView() {
  const appId = useParam('appId');
  const query = useEndpoint(appId, useParam('endpointId'));
  return (
    <Loaded query={query} skeleton={<Skeleton height={480} />}>
      {(endpoint) => (
        <EndpointContent appId={appId} endpoint={endpoint} crumbs={<Crumbs appId={appId} endpoint={endpoint} />} />
      )}
    </Loaded>
  );
}

function Crumbs({ appId, endpoint }: { appId: string; endpoint: Endpoint }) {
  const t = useT();
  const application = useApplication(appId);
  return (
    <>
      <Go to="/applications">{t.applications.title}</Go>
      <span aria-hidden="true">›</span>
      <Go to={`/applications/${appId}`}>{application.data?.name ?? shortId(appId)}</Go>
      <span aria-hidden="true">›</span>
      <span aria-current="page" className="cut">
        {endpointName(endpoint.url)}
      </span>
    </>
  );
}

/** Shared with the portal. */
export function EndpointContent({
  appId,
  endpoint,
  crumbs,
}: {
  appId: string;
  endpoint: Endpoint;
  crumbs: React.ReactNode;
}) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { isPortal } = usePlaces();
  const range = rangeOf(url.range, endpointRanges);
  const overview = useEndpointOverview(appId, endpoint.id, range);
  const live = useLive(`/app/${appId}/live?endpoint_id=${endpoint.id}`, { attempt: () => {} });
  const shown = tabs.filter((each) => !(isPortal && each === 'audit'));
  const tab = shown.find((each) => each === url.tab) ?? 'health';
  return (
    <>
      <PageHead
        title={<EndpointName url={endpoint.url} />}
        crumbs={crumbs}
        live={<LiveMark status={live} />}
        actions={<EndpointActions appId={appId} endpoint={endpoint} />}
      >
        <p className="row wrap small">
          <Id id={endpoint.id} whole />
          {endpoint.uid && <span>uid {endpoint.uid}</span>}
          <span>
            {t.created} <Time at={endpoint.createdAt} as="moment" />
          </span>
        </p>
        {endpoint.description && <p>{endpoint.description}</p>}
      </PageHead>
      <EndpointCallout appId={appId} endpoint={endpoint} overview={overview.data} />
      <Loaded query={overview} skeleton={<Skeleton height={104} />}>
        {(data) => <EndpointFigures appId={appId} endpointId={endpoint.id} overview={data} />}
      </Loaded>
      <Tabs
        label={t.endpoint.endpoint}
        end={
          tab === 'health' && (
            <Segmented
              label={t.range}
              value={range}
              onChange={(value) => setUrl({ range: value })}
              options={endpointRanges.map((value) => ({ value, label: t.ranges[value] }))}
            />
          )
        }
      >
        {shown.map((each) => (
          <TabLink
            key={each}
            to="."
            search={{ tab: each === 'health' ? undefined : each } as never}
            isCurrent={each === tab}
          >
            {t.endpoint.tabs[each]}
          </TabLink>
        ))}
      </Tabs>
      <TabContent tab={tab} appId={appId} endpoint={endpoint} overview={overview.data} />
    </>
  );
}

interface TabProps {
  tab: (typeof tabs)[number];
  appId: string;
  endpoint: Endpoint;
  overview: EndpointOverview | undefined;
}

function TabContent({ tab, appId, endpoint, overview }: TabProps) {
  const t = useT();
  if (tab === 'messages') return <MessageList appId={appId} endpointId={endpoint.id} />;
  if (tab === 'attempts') {
    return (
      <Card label={t.endpoint.tabs.attempts}>
        <AttemptsTable appId={appId} endpointId={endpoint.id} hasPages />
      </Card>
    );
  }
  if (tab === 'dead-letters') return <DeadLetterList appId={appId} endpointId={endpoint.id} />;
  if (tab === 'audit') {
    return (
      <Card label={t.application.tabs.audit}>
        <AuditTable filter={{ app_id: appId, object_id: endpoint.id }} />
      </Card>
    );
  }
  return (
    <div className="columns aside">
      <Health appId={appId} endpoint={endpoint} overview={overview} />
      <EndpointAside appId={appId} endpoint={endpoint} overview={overview} />
    </div>
  );
}
