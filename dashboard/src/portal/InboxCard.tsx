// What a test inbox has got.
import { api } from '../api/client';
import { Card } from '../design/Card';
import { JsonText } from '../design/JsonView';
import { Loaded } from '../design/Loaded';
import { Empty } from '../design/Notice';
import { StateWord } from '../design/State';
import { Time } from '../design/Time';
import { useT } from '../i18n';

const refetchMs = 2_000;
const shown = 3;

export function InboxCard({ inboxId }: { inboxId: string }) {
  const t = useT();
  const query = api.useQuery(
    'get',
    '/api/v1/inbox/{inbox_id}',
    { params: { path: { inbox_id: inboxId } } },
    { refetchInterval: refetchMs },
  );
  return (
    <Card title={t.portal.inboxTitle}>
      <Loaded query={query}>
        {(inbox) =>
          inbox.requests.length === 0 ? (
            <Empty icon="inbox" title={t.portal.inboxEmpty} />
          ) : (
            inbox.requests.slice(0, shown).map((request) => (
              <div key={request.id} className="inbox-request">
                <div className="row">
                  <span className="mono grow">
                    <Time at={request.at} as="clock" />
                  </span>
                  {request.isVerified !== null && (
                    <StateWord
                      state={request.isVerified ? 'delivered' : 'dead'}
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
