// One application: its endpoints, messages, dead letters, usage, and who did what.
import { api } from '../api/client';
import type { Application } from '../api/types';
import { AuditTable } from '../audit-log/AuditTable';
import { DeadLetterList } from '../dead-letters/DeadLetterList';
import { Loaded } from '../design/feedback/Loaded';
import { Callout } from '../design/feedback/Notice';
import { Card, PageHead } from '../design/layout/Card';
import { TabLink, Tabs } from '../design/layout/Tabs';
import { Id } from '../design/values/Id';
import { Time } from '../design/values/Time';
import { EndpointsTable } from '../endpoints/EndpointsTable';
import { useFormat, useT } from '../i18n';
import { MessageList } from '../messages/MessageList';
import { Go } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { ApplicationActions } from './ApplicationActions';
import { Metadata } from './ApplicationsView';
import { Usage } from './Usage';

const tabs = ['endpoints', 'messages', 'dead-letters', 'usage', 'audit'] as const;
type Tab = (typeof tabs)[number];

export function useApplication(appId: string) {
  return api.useQuery('get', '/api/v1/app/{app_id}', { params: { path: { app_id: appId } } });
}

export function ApplicationView() {
  const query = useApplication(useParam('appId'));
  return <Loaded query={query}>{(application) => <Content application={application} />}</Loaded>;
}

function Content({ application }: { application: Application }) {
  const t = useT();
  const format = useFormat();
  const [url] = useUrl();
  const tab = tabs.find((each) => each === url.tab) ?? 'endpoints';
  return (
    <>
      <PageHead
        title={application.name}
        crumbs={
          <>
            <Go to="/applications">{t.applications.title}</Go>
            <span aria-hidden="true">›</span>
            <span aria-current="page" className="cut">
              {application.name}
            </span>
          </>
        }
        actions={<ApplicationActions application={application} />}
      >
        <p className="row wrap small">
          <Id id={application.id} whole />
          {application.uid && <span>uid {application.uid}</span>}
          <span>
            {t.created} <Time at={application.createdAt} as="moment" />
          </span>
          {application.rateLimit && <span>{t.application.perSecond(format.number(application.rateLimit))}</span>}
        </p>
        {Object.keys(application.metadata).length > 0 && <Metadata metadata={application.metadata} />}
      </PageHead>
      {application.pausedAt && (
        <Callout state="held" icon="held" title={t.application.isPaused}>
          {t.application.isPausedNote(format.moment(application.pausedAt))}
        </Callout>
      )}
      <Tabs label={application.name}>
        {tabs.map((each) => (
          <TabLink
            key={each}
            to="."
            search={{ tab: each === 'endpoints' ? undefined : each } as never}
            isCurrent={each === tab}
          >
            {t.application.tabs[each]}
          </TabLink>
        ))}
      </Tabs>
      <TabContent tab={tab} application={application} />
    </>
  );
}

function TabContent({ tab, application }: { tab: Tab; application: Application }) {
  const t = useT();
  if (tab === 'messages') return <MessageList appId={application.id} />;
  if (tab === 'dead-letters') return <DeadLetterList appId={application.id} />;
  if (tab === 'usage') return <Usage appId={application.id} />;
  if (tab === 'audit')
    return (
      <Card label={t.application.tabs.audit}>
        <AuditTable filter={{ app_id: application.id }} />
      </Card>
    );
  return <EndpointsTable appId={application.id} />;
}
