// What a test inbox has got: by its id, or of the endpoint that leads to it.
import type { UseQueryResult } from '@tanstack/react-query';
import { api } from '../api/client';
import type { Endpoint, Inbox } from '../api/types';
import { Loaded } from '../design/feedback/Loaded';
import { Empty } from '../design/feedback/Notice';
import { Card } from '../design/layout/Card';
import { JsonText } from '../design/values/JsonView';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import './inbox.css';

const refetchMs = 2_000;
const shown = 3;
const inboxUrl = /\/in\/[0-9a-z]{32}$/;

export function InboxCard({ inboxId }: { inboxId: string }) {
  const query = api.useQuery(
    'get',
    '/api/v1/inbox/{inbox_id}',
    { params: { path: { inbox_id: inboxId } } },
    { refetchInterval: refetchMs },
  );
  return <Requests query={query} />;
}

/** Nothing where the endpoint leads elsewhere, or the inbox has ended. */
export function EndpointInbox({ appId, endpoint }: { appId: string; endpoint: Endpoint }) {
  const leadsToOne = inboxUrl.test(endpoint.url);
  const query = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/endpoint/{endpoint_id}/inbox',
    { params: { path: { app_id: appId, endpoint_id: endpoint.id } } },
    { enabled: leadsToOne, retry: false, refetchInterval: (asked) => (asked.state.error ? false : refetchMs) },
  );
  return leadsToOne && !query.error ? <Requests query={query} /> : null;
}

function Requests({ query }: { query: UseQueryResult<Inbox, unknown> }) {
  const t = useT();
  return (
    <Card title={t.portal.inboxTitle} note={t.portal.inboxKept}>
      <Loaded query={query}>
        {(inbox) =>
          inbox.requests.length === 0 ? (
            <Empty icon="inbox" title={t.portal.inboxEmpty}>
              {t.portal.inboxEmptyNote}
            </Empty>
          ) : (
            inbox.requests.slice(0, shown).map((request) => (
              <div key={request.id} className="inbox-request">
                <div className="row">
                  <span className="mono grow">
                    <Time at={request.at} as="clock" />
                  </span>
                  {request.isVerified !== null && (
                    <StateWord
                      state={request.isVerified ? 'delivered' : 'cancelled'}
                      word={request.isVerified ? t.portal.verified : t.portal.unverified}
                    />
                  )}
                </div>
                <JsonText text={request.body} isRaw />
              </div>
            ))
          )
        }
      </Loaded>
    </Card>
  );
}
