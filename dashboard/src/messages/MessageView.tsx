// One message: its life at each endpoint, its payload as the bytes that were posted.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { allPages } from '../api/all-pages';
import { api, client } from '../api/client';
import { useLive } from '../api/live';
import type { Attempt, Message } from '../api/types';
import { useApplication } from '../applications/ApplicationView';
import { AuditCard } from '../audit-log/AuditCard';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { LiveMark } from '../design/feedback/LiveMark';
import { Loaded, Skeleton } from '../design/feedback/Loaded';
import { Callout, Empty } from '../design/feedback/Notice';
import { Card, Facts, PageHead } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { useKeys } from '../design/tables/keys';
import { Pager } from '../design/tables/Pager';
import { Id, shortId, useCopy } from '../design/values/Id';
import { JsonView } from '../design/values/JsonView';
import { payloadIn } from '../design/values/json';
import { Tag } from '../design/values/State';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { Go, usePlaces } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { DeliveryCard } from './DeliveryCard';
import { LifeStrip } from './LifeStrip';
import { ResendAll } from './ResendAll';
import './messages.css';

const refetchMs = 5_000;

/** The message, with its payload as text: parsing would change big numbers and escapes. */
export function useRawMessage(appId: string, msgId: string) {
  return useQuery({
    queryKey: ['message', appId, msgId],
    queryFn: async () => {
      const { data } = await client.GET('/api/v1/app/{app_id}/msg/{msg_id}', {
        params: { path: { app_id: appId, msg_id: msgId } },
        parseAs: 'text',
      });
      const text = data as unknown as string;
      return { message: JSON.parse(text) as Message, payload: payloadIn(text) };
    },
  });
}

export function MessageView() {
  const appId = useParam('appId');
  const application = useApplication(appId);
  return <MessageContent appId={appId} appName={application.data?.name} />;
}

/** Shared with the portal, which knows the application without asking. */
export function MessageContent({ appId, appName }: { appId: string; appName?: string }) {
  const msgId = useParam('msgId');
  const query = useRawMessage(appId, msgId);
  return (
    <Loaded query={query} skeleton={<Skeleton height={480} />}>
      {({ message, payload }) => <Content appId={appId} appName={appName} message={message} payload={payload} />}
    </Loaded>
  );
}

interface Props {
  appId: string;
  appName: string | undefined;
  message: Message;
  payload: string | null;
}

function Content({ appId, appName, message, payload }: Props) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const places = usePlaces();
  const { may } = usePermissions();
  const [isCopied, copy] = useCopy();
  const path = { app_id: appId, msg_id: message.id };
  const deliveries = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/msg/{msg_id}/delivery',
    { params: { path, query: { limit: 50, iterator: url.iterator } } },
    { refetchInterval: refetchMs },
  );
  const attempts = useQuery({
    queryKey: ['attempts-of-message', appId, message.id],
    queryFn: () =>
      allPages<Attempt>((iterator) =>
        client.GET('/api/v1/app/{app_id}/attempt/msg/{msg_id}', {
          params: { path, query: { limit: 250, with_content: false, iterator } },
        }),
      ),
    refetchInterval: refetchMs,
  });
  const queries = useQueryClient();
  const live = useLive(`/app/${appId}/live`, {
    attempt: (event) => event.msgId === message.id && void queries.invalidateQueries(),
  });
  const rows = deliveries.data?.data ?? [];
  const made = attempts.data;
  const isWhole = deliveries.data?.done === true && !url.iterator;
  const mayResend = may('CreateAttempts') && rows.length > 0;
  useKeys({ r: () => mayResend && setUrl({ panel: 'resend' }) });
  return (
    <>
      <PageHead
        title={appName && !places.isPortal ? t.message.to(message.eventType, appName) : message.eventType}
        crumbs={
          <>
            <Go to="/messages">{t.message.title}</Go>
            <span aria-hidden="true">›</span>
            <span aria-current="page" className="mono">
              {shortId(message.id)}
            </span>
          </>
        }
        live={<LiveMark status={live} />}
        actions={
          <>
            <More
              items={[
                !places.isPortal && {
                  label: t.message.erase,
                  icon: 'trash',
                  isDangerous: true,
                  onSelect: () => setUrl({ panel: 'erase' }),
                },
              ]}
            />
            <Button icon="copy" onClick={() => copy(location.href)}>
              {isCopied ? t.copied : t.message.copyLink}
            </Button>
            {mayResend && (
              <Button kind="primary" icon="replay" onClick={() => setUrl({ panel: 'resend' })}>
                {t.message.resendAsk}
              </Button>
            )}
          </>
        }
      >
        {deliveries.data && <p>{isWhole ? t.message.summary(rows) : t.message.many}</p>}
        <Id id={message.id} whole />
      </PageHead>
      {rows.length > 0 && <LifeStrip acceptedAt={message.timestamp} deliveries={rows} attempts={made ?? []} />}
      <div className="columns aside message-columns">
        <div className="stack">
          <Loaded query={deliveries} skeleton={<Skeleton height={240} />}>
            {({ data }) =>
              data.length === 0 ? (
                <Card label={t.underWay.deliveries}>
                  <Empty icon="external" title={t.message.noEndpoint}>
                    {t.message.noEndpointNote}
                  </Empty>
                </Card>
              ) : (
                data.map((delivery) => (
                  <DeliveryCard
                    key={delivery.endpointId}
                    appId={appId}
                    msgId={message.id}
                    acceptedAt={message.timestamp}
                    delivery={delivery}
                    attempts={made?.filter((attempt) => attempt.endpointId === delivery.endpointId)}
                    opened={url.attempt}
                  />
                ))
              )
            }
          </Loaded>
          <Pager page={deliveries.data} iterator={url.iterator} onChange={(iterator) => setUrl({ iterator })} />
        </div>
        <aside className="stack">
          <MessageFacts message={message} appId={appId} appName={appName} />
          {payload === null ? (
            <Callout state="cancelled" icon="trash" title={t.message.expunged}>
              {t.message.expungedNote}
            </Callout>
          ) : (
            <JsonView title={t.message.payload} text={payload} />
          )}
          <AuditCard filter={{ app_id: appId, object_id: message.id }} />
        </aside>
      </div>
      <ResendAll
        appId={appId}
        msgId={message.id}
        isOpen={url.panel === 'resend'}
        onClose={() => setUrl({ panel: undefined })}
      />
      <Erase
        appId={appId}
        msgId={message.id}
        isOpen={url.panel === 'erase'}
        onClose={() => setUrl({ panel: undefined })}
      />
    </>
  );
}

function MessageFacts({ message, appId, appName }: { message: Message; appId: string; appName: string | undefined }) {
  const t = useT();
  const places = usePlaces();
  const application = places.application(appId);
  const tags = (values: string[] | null | undefined) =>
    values && values.length > 0 ? (
      <span className="tags">
        {values.map((value) => (
          <Tag key={value}>{value}</Tag>
        ))}
      </span>
    ) : (
      <span className="dim">{t.none}</span>
    );
  return (
    <Card title={t.message.message} padded>
      <Facts
        rows={[
          [
            t.message.eventType,
            <Go key="t" to={places.eventType(message.eventType)} className="link">
              {message.eventType}
            </Go>,
          ],
          [
            t.message.eventId,
            message.eventId ? (
              <Id key="e" id={message.eventId} whole />
            ) : (
              <span key="e" className="dim">
                {t.none}
              </span>
            ),
          ],
          ...(application
            ? ([
                [
                  t.application.application,
                  <Go key="a" to={application} className="link">
                    {appName ?? appId}
                  </Go>,
                ],
              ] as [string, React.ReactNode][])
            : []),
          [t.message.accepted, <Time key="w" at={message.timestamp} as="full" />],
          [t.endpoint.channels, tags(message.channels)],
          [t.message.tags, tags(message.tags)],
        ]}
      />
    </Card>
  );
}

interface AskProps {
  appId: string;
  msgId: string;
  isOpen: boolean;
  onClose: () => void;
}

function Erase({ appId, msgId, isOpen, onClose }: AskProps) {
  const t = useT();
  const queries = useQueryClient();
  const erase = async () => {
    await client.DELETE('/api/v1/app/{app_id}/msg/{msg_id}/content', {
      params: { path: { app_id: appId, msg_id: msgId } },
    });
    await queries.invalidateQueries();
  };
  return (
    <Ask
      isOpen={isOpen}
      onClose={onClose}
      title={t.message.eraseTitle}
      act={t.message.eraseAct}
      isDangerous
      onAct={erase}
    >
      <p>{t.message.eraseText}</p>
    </Ask>
  );
}
