// One delivery: its state and why, every attempt with its request and response, and what comes next.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, client } from '../api/client';
import type { Attempt, Delivery } from '../api/types';
import { Button } from '../design/controls/Button';
import { Skeleton } from '../design/feedback/Loaded';
import { Failure } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { SkeletonText } from '../design/tables/Table';
import { AttemptAnswer } from '../design/values/AttemptAnswer';
import { Exchange } from '../design/values/Exchange';
import { Icon } from '../design/values/Icon';
import { Rich } from '../design/values/Rich';
import { StateBadge } from '../design/values/State';
import { stateIcons } from '../design/values/states';
import { Time, useNow } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { Go, usePlaces } from '../navigation/places';
import { answeredAfterMs, inOrder, wasSentAgain } from './life';

interface Props {
  appId: string;
  msgId: string;
  acceptedAt: string;
  delivery: Delivery;
  /** None while they are under way. */
  attempts: Attempt[] | undefined;
  /** The attempt that a link points at. */
  opened?: string;
}

export function DeliveryCard({ appId, msgId, acceptedAt, delivery, attempts, opened }: Props) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const places = usePlaces();
  const oldestFirst = inOrder(attempts ?? []);
  const [delivered, ...deliveredAgain] = oldestFirst.filter((attempt) => attempt.status === 0);
  const isOpen = ['waiting', 'in_flight', 'held'].includes(delivery.state);
  return (
    <section className="card" aria-label={t.message.deliveryTo(delivery.endpointUrl)}>
      <header>
        <StateBadge state={delivery.state} />
        <Go to={places.endpoint(appId, delivery.endpointId)} className="title medium cut">
          <EndpointName url={delivery.endpointUrl} />
        </Go>
        <span className="end">
          {delivery.deadLetterId && (
            <Go to={places.deadLetter(delivery.deadLetterId)} className="link small">
              {t.deadLetters.one}
            </Go>
          )}
          <Resend appId={appId} msgId={msgId} delivery={delivery} />
        </span>
      </header>
      <div className="why-line">
        <span className={delivery.state}>
          <Icon name={stateIcons[delivery.state]} />
        </span>
        <span>
          <Rich
            text={
              delivered && deliveredAgain.length > 0 && delivery.state === 'delivered'
                ? t.why.deliveredAgain(answeredAfterMs(delivered, acceptedAt), deliveredAgain.length, format)
                : t.why.delivery(delivery, acceptedAt, format, now, wasSentAgain(oldestFirst))
            }
          />
        </span>
      </div>
      <ol className="rail">
        {!attempts && (
          <li>
            <span className="rail-time" />
            <span className="rail-dot" />
            <div className="rail-text">
              <SkeletonText place={2} />
            </div>
          </li>
        )}
        {attempts?.length === 0 && (
          <li>
            <span className="rail-time">
              <Time at={acceptedAt} as="clock" />
            </span>
            <span className={`rail-dot ${delivery.state}`}>
              <Icon name={stateIcons[delivery.state]} />
            </span>
            <div className="rail-text dim">{isOpen ? t.life.noAttemptYet : t.life.noAttempt}</div>
          </li>
        )}
        {oldestFirst.map((attempt, place) => (
          <AttemptRow
            key={attempt.id}
            appId={appId}
            attempt={attempt}
            before={oldestFirst[place - 1]}
            isOpened={
              attempt.id === opened ||
              (opened === undefined && attempt.status !== 0 && place === oldestFirst.length - 1)
            }
          />
        ))}
        {delivery.nextAttemptAt && (
          <li>
            <span className="rail-time">
              <Time at={delivery.nextAttemptAt} as="moment" />
            </span>
            <span className="rail-dot waiting">
              <Icon name="waiting" />
            </span>
            <div className="rail-text">
              <span className="medium">{t.life.next(delivery.attemptsMade + 1)}</span>
              <span className="dim">
                {t.life.later(delivery.laterAttemptsAt.map((time) => format.moment(time, now)))}
              </span>
            </div>
          </li>
        )}
      </ol>
    </section>
  );
}

function Resend({ appId, msgId, delivery }: { appId: string; msgId: string; delivery: Delivery }) {
  const t = useT();
  const queries = useQueryClient();
  const { may } = usePermissions();
  const resend = useMutation({
    mutationFn: () =>
      client.POST('/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend', {
        params: { path: { app_id: appId, msg_id: msgId, endpoint_id: delivery.endpointId } },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      toast(t.message.resent);
    },
  });
  if (!may('CreateAttempts') || delivery.endpointDeletedAt) return null;
  return (
    <Button
      small
      icon={delivery.state === 'waiting' ? 'play' : 'replay'}
      isBusy={resend.isPending}
      onClick={() => resend.mutate()}
    >
      {delivery.state === 'waiting' ? t.message.tryNow : t.message.resend}
    </Button>
  );
}

interface AttemptProps {
  appId: string;
  attempt: Attempt;
  before: Attempt | undefined;
  isOpened: boolean;
}

function AttemptRow({ appId, attempt, before, isOpened }: AttemptProps) {
  const t = useT();
  const format = useFormat();
  const [isOpen, setOpen] = useState(isOpened);
  const isGood = attempt.status === 0;
  const waitedMs = before && new Date(attempt.timestamp).getTime() - new Date(before.timestamp).getTime();
  return (
    <li>
      <span className="rail-time">
        <Time at={attempt.timestamp} as="clock" />
      </span>
      <span className={isGood ? 'rail-dot delivered' : 'rail-dot dead'}>
        <Icon name={isGood ? 'delivered' : 'cross'} />
      </span>
      <div>
        <div className="rail-text">
          <span className="medium">{t.life.attempt(attempt.attemptNumber)}</span>
          <AttemptAnswer attempt={attempt} />
          <span className="dim">
            {t.life.took(
              format.duration(attempt.responseDurationMs),
              waitedMs === undefined ? null : format.duration(waitedMs),
              attempt.triggerType === 1,
            )}
          </span>
          <button type="button" className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? t.hide : t.show}
          </button>
        </div>
        {isOpen && <AttemptExchange appId={appId} attempt={attempt} />}
      </div>
    </li>
  );
}

function AttemptExchange({ appId, attempt }: { appId: string; attempt: Attempt }) {
  const t = useT();
  const format = useFormat();
  const path = { app_id: appId, msg_id: attempt.msgId, attempt_id: attempt.id };
  const request = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/request',
    { params: { path } },
    { staleTime: Number.POSITIVE_INFINITY },
  );
  const whole = useQuery({
    queryKey: ['attempt', attempt.id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () =>
      (await client.GET('/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}', { params: { path } })).data ??
      attempt,
  });
  if (request.error) return <Failure error={request.error} onRetry={request.refetch} />;
  if (!request.data || !whole.data) return <Skeleton height={200} />;
  const { timings } = whole.data;
  const parts = [
    ['resolve', timings?.resolveMs],
    ['connect', timings?.connectMs],
    ['tls', timings?.tlsMs],
    ['firstByte', timings?.firstByteMs],
  ] as const;
  return (
    <>
      <Exchange
        request={request.data}
        requestBody={request.data.body}
        status={attempt.responseStatusCode || null}
        statusText={t.answer(attempt.responseStatusCode, attempt.failure)}
        responseHeaders={whole.data.responseHeaders}
        responseBody={whole.data.response}
        durationMs={attempt.responseDurationMs}
      />
      <p className="legend">
        {parts.map(
          ([name, ms]) =>
            ms !== null && ms !== undefined && <span key={name}>{t.life.timing[name](format.duration(ms))}</span>,
        )}
      </p>
    </>
  );
}
