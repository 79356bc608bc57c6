// Messages, deliveries, dead letters.
import type { Delivery, EndpointOverview } from '../../api/types';
import type { Act, Preview } from '../../dead-letters/bulk';
import type { Format } from '../format';
import { answer } from './answers';
import { type Count, capital, isNone, many, num, word } from './words';

type Why = NonNullable<EndpointOverview['heldBecause']>;
type Target = Preview['endpoints'][number];

const reasons: Record<string, string> = {
  exhausted: 'All attempts failed',
  gone: 'Gone',
  unsendable: 'No request could be built',
  hold_expired: 'Held too long',
  endpoint_deleted: 'Endpoint deleted',
  unrecordable: 'The outcome could not be recorded',
  not_retryable: 'Failed for good at once',
};

const held = (why: Why | Delivery['why'], format: Format, now: number): string => {
  const by = why.by ? ` by ${why.by}` : '';
  const since = why.at ? ` since ${format.moment(why.at, now)}` : '';
  const what: Record<string, string> = {
    endpoint_paused: `Endpoint paused${by}${since}`,
    application_paused: `Application paused${by}${since}`,
    all_paused: `Everything is paused${by}${since}`,
    disabled_by_request: `Endpoint disabled${by}${since}`,
    disabled_gone: `Endpoint disabled${since}: it answered 410 Gone`,
    disabled_failing: `Endpoint disabled${since}: it failed for days`,
    endpoint_deleted: `Endpoint deleted${by}${since}`,
  };
  return what[why.code] ?? why.code;
};

/** Attempts are counted anew when a message is sent again. */
const onAttempt = ({ attemptsMade }: Delivery, isAgain: boolean): string => {
  const which = attemptsMade <= 1 ? 'the first attempt' : `attempt ${attemptsMade}`;
  return isAgain ? `on ${which} after it was sent again` : `on ${which}`;
};

const arrived = (delivery: Delivery, acceptedAt: string, format: Format, isAgain: boolean): string => {
  const took = delivery.settledAt
    ? `${format.duration(new Date(delivery.settledAt).getTime() - new Date(acceptedAt).getTime())} `
    : '';
  return `**Delivered ${took}after it was accepted**, ${onAttempt(delivery, isAgain)}.`;
};

export const traffic = {
  message: {
    title: 'Messages',
    titleNote: 'Every event that was accepted, newest first, with where its deliveries stand.',
    message: 'Message',
    search: 'Text in the payload, or an event id',
    eventType: 'Event type',
    eventId: 'Event id',
    id: 'Id',
    channel: 'Channel',
    tag: 'Tag',
    tags: 'Tags',
    size: 'Size',
    accepted: 'Accepted',
    none: 'No messages yet',
    noneNote: 'Messages show here as soon as they are posted:',
    noneTenant: 'Messages show here as soon as they are sent to you.',
    command: (appId: string) =>
      `curl -X POST $POSTRIDER/api/v1/app/${appId}/msg \\\n  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n  -d '{"eventType":"invoice.paid","payload":{"id":1}}'`,
    lookedTo: (time: string) => `Looked at everything back to ${time}.`,
    lookedAtAll: 'Everything that is kept was looked at.',
    older: 'Look further back',
    many: 'It went to more endpoints than a page shows.',
    noEndpoint: 'No endpoint wants it',
    noEndpointNote:
      'No endpoint asked for this event type and these channels when it was accepted. “Recover” at an endpoint can still send it.',
    several: (state: string, count: number) => `${num(count)} ${state}`,
    to: (type: string, application: string) => `${type} to ${application}`,
    deliveryTo: (url: string) => `Delivery to ${url}`,
    copyLink: 'Copy link',
    resend: 'Resend',
    tryNow: 'Try now',
    resent: 'It is being sent.',
    resendAsk: 'Resend…',
    resendTitle: 'Resend this message',
    resendAct: (count: number) => `Resend to ${many(count, 'endpoint', 'endpoints')}`,
    resendText: 'It is sent again at once, with the same webhook-id, also to endpoints that have it already.',
    summary: (deliveries: Delivery[]): string => {
      if (deliveries.length === 0) return 'No endpoint wanted it.';
      const count = (...states: string[]) => deliveries.filter((delivery) => states.includes(delivery.state)).length;
      const kinds: [count: number, noun: [string, string], verb: [string, string]][] = [
        [count('delivered'), ['endpoint', 'endpoints'], ['has it', 'have it']],
        [count('waiting', 'in_flight'), ['delivery', 'deliveries'], ['is being tried', 'are being tried']],
        [count('held'), ['delivery', 'deliveries'], ['is held', 'are held']],
        [count('dead'), ['delivery', 'deliveries'], ['has died', 'have died']],
        [count('cancelled'), ['delivery', 'deliveries'], ['was cancelled', 'were cancelled']],
      ];
      const parts = kinds
        .filter(([n]) => n > 0)
        .map(([n, noun, verb], place) => {
          const which = n === 1 ? 0 : 1;
          // The first says of what it is.
          return [word(n), place === 0 && noun[which], verb[which]].filter(Boolean).join(' ');
        });
      return `${capital(parts.join(', '))}.`;
    },
    payload: 'Payload',
    expunged: 'The payload was deleted',
    expungedNote: 'That there was a message, and what became of it, stays known.',
    erase: 'Delete the payload…',
    eraseTitle: 'Delete the payload of this message',
    eraseAct: 'Delete payload',
    eraseText: 'It can no longer be sent to anyone. This cannot be undone.',
  },
  why: {
    short: (code: string) =>
      code.startsWith('disabled')
        ? 'endpoint disabled'
        : code === 'all_paused'
          ? 'everything paused'
          : code === 'application_paused'
            ? 'application paused'
            : 'endpoint paused',
    held,
    heldNote: (why: Why, format: Format, now: number) =>
      `Messages are accepted and held${why.heldUntil ? `, the first until ${format.moment(why.heldUntil, now)}` : ''}. ${why.code.startsWith('disabled') ? 'Enabling it sends them.' : 'They go out when it is resumed.'}`,
    deliveredAgain: (firstMs: number, timesMore: number, format: Format): string =>
      `**Delivered ${format.duration(firstMs)} after it was accepted**, and ${timesMore === 1 ? 'once' : `${num(timesMore)} times`} more since.`,
    delivery: (delivery: Delivery, acceptedAt: string, format: Format, now: number, isAgain: boolean): string => {
      const { why } = delivery;
      const attempt = `attempt ${delivery.attemptsMade + 1} of ${delivery.attemptsPlanned}`;
      const ahead = why.ahead && why.ahead.count > 0 ? `, behind ${many(why.ahead, 'other', 'others')}` : '';
      if (delivery.state === 'delivered') return arrived(delivery, acceptedAt, format, isAgain);
      if (why.code === 'retry' && delivery.nextAttemptAt) {
        const inTime = format.duration(Math.max(0, new Date(delivery.nextAttemptAt).getTime() - now));
        return `**Retry at ${format.moment(delivery.nextAttemptAt, now)}, in ${inTime}** (${attempt}). Last answer: ${answer(delivery.lastStatusCode, delivery.lastFailure)}.`;
      }
      // A node may hold it already, and it goes when its turn comes.
      if (why.code === 'rate_limited') return `**Waits for the rate limit**${ahead} (${attempt}).`;
      if (delivery.state === 'in_flight') return `**The request is out** (${attempt}).`;
      if (delivery.state === 'waiting') return `**Due, about to go**${ahead} (${attempt}).`;
      if (delivery.state === 'held')
        return `**${held(why, format, now)}.** Goes out when that ends${ahead}${why.heldUntil ? `; held until ${format.moment(why.heldUntil, now)} at the latest` : ''}.`;
      if (delivery.state === 'cancelled') return `**Cancelled**${why.by ? ` by ${why.by}` : ''}.`;
      if (why.code === 'discarded')
        return `**Discarded**${why.by ? ` by ${why.by}` : ''}${why.at ? `, ${format.moment(why.at, now)}` : ''}.`;
      const reason =
        why.code === 'exhausted' ? `All ${delivery.attemptsMade} attempts failed` : (reasons[why.code] ?? why.code);
      return `**${reason}.** It is a dead letter${why.at ? ` since ${format.moment(why.at, now)}` : ''}; last answer: ${answer(delivery.lastStatusCode, delivery.lastFailure)}.`;
    },
  },
  life: {
    now: (clock: string) => `${clock} now`,
    accepted: (clock: string) => `${clock} accepted`,
    summary: (delivery: Delivery, format: Format, now: number, isAgain: boolean): string => {
      if (delivery.state === 'delivered') return onAttempt(delivery, isAgain);
      if (delivery.state === 'waiting')
        return `${delivery.attemptsMade} of ${delivery.attemptsPlanned} made${delivery.nextAttemptAt ? `, next ${format.moment(delivery.nextAttemptAt, now)}` : ''}`;
      if (delivery.state === 'held') return delivery.attemptsMade === 0 ? 'none made' : `${delivery.attemptsMade} made`;
      if (delivery.state === 'dead') return (reasons[delivery.why.code] ?? '').toLowerCase();
      return '';
    },
    noAttempt: 'No attempt was made.',
    noAttemptYet: 'No attempt was made yet.',
    attempt: (number: number) => `Attempt ${number}`,
    took: (span: string, after: string | null, isManual: boolean) =>
      [`in ${span}`, after && `after ${after}`, isManual && 'by hand'].filter(Boolean).join(' · '),
    next: (number: number) => `Attempt ${number} is next`,
    later: (times: string[]) =>
      times.length === 0 ? 'after that a dead letter' : `then about ${times.join(', ')}; after that a dead letter`,
    timing: {
      resolve: (span: string) => `DNS ${span}`,
      connect: (span: string) => `connect ${span}`,
      tls: (span: string) => `TLS ${span}`,
      firstByte: (span: string) => `waited for the answer ${span}`,
    },
  },
  deadLetters: {
    title: 'Dead letters',
    one: 'Dead letter',
    headline: (open: Count) =>
      isNone(open) ? 'No dead letter is open' : `${many(open, 'dead letter is', 'dead letters are')} open`,
    summary: (endpoints: number, fresh: Count) =>
      endpoints === 0
        ? 'Nothing waits to be replayed or discarded.'
        : `${many(endpoints, 'endpoint', 'endpoints')} missed them. Kept until you replay or discard them; ${num(fresh)} came in the last 24 hours.`,
    none: 'No dead letters',
    noneNote:
      'A delivery comes here when its last attempt failed, or when it can never succeed. You can replay it from here once the receiver is well.',
    by: 'Order',
    byEndpoint: 'By endpoint',
    byTime: 'By time',
    reason: 'Reason',
    reasons: reasons as Record<
      'exhausted' | 'gone' | 'unsendable' | 'hold_expired' | 'endpoint_deleted' | 'unrecordable' | 'not_retryable',
      string
    >,
    reasonOf: (reason: string, attempts: number) =>
      reason === 'exhausted'
        ? attempts === 1
          ? 'The only attempt failed'
          : `All ${attempts} attempts failed`
        : (reasons[reason] ?? reason),
    explain: (reason: string) =>
      ({
        exhausted: 'Every attempt of the schedule was made, and none was answered 2xx.',
        gone: 'The receiver answered 410 Gone: it wants no more.',
        unsendable: 'With the endpoint’s URL and headers, no request can be made. Mend those, then replay.',
        hold_expired: 'The endpoint was paused or disabled for longer than deliveries are held.',
        endpoint_deleted:
          'The endpoint was deleted while this waited. It can be replayed to another endpoint of the application.',
        unrecordable: 'The database refused what came of the last attempt; whether it was delivered is not known.',
        not_retryable: 'It failed in a way that the endpoint does not have tried again (retryOn).',
      })[reason] ?? '',
    states: { open: 'Open', replayed: 'Replayed', discarded: 'Discarded' },
    lastStatus: 'Last status',
    lastAnswer: 'Last answer',
    last: (what: string) => `last: ${what}`,
    died: 'Died',
    running: 'Replaying',
    endpointAndWhy: 'Endpoint and why',
    countDied: 'Count, died',
    selectAll: 'Select all',
    selectGroup: (application: string, url: string) => `Select all of ${application}, ${url}`,
    showOthers: (count: number) => `Show ${num(count)} more`,
    asList: 'Open as a list',
    selection: 'Selection',
    selected: (count: Count) => `${num(count)} selected`,
    clear: 'Clear',
    replay: 'Replay…',
    discard: 'Discard…',
    replayAll: 'Replay all…',
    replayMatching: 'Replay all that match…',
    allOpen: 'all open ones',
    allMatching: 'all that match the filters',
    replayed: 'It is being sent.',
    replayOne: 'Replay this dead letter',
    replayNow: 'Replay',
    replayOneText:
      'It goes to the endpoint that missed it, with the same webhook-id, and has the whole schedule of attempts again.',
    discardOne: 'Discard this dead letter',
    discardNow: 'Discard',
    discardOneText: 'It is never sent. It can still be replayed until its retention ends.',
    lastAttempts: 'Last attempts',
    noAttempts: 'It died without an attempt, or the attempts are past their retention.',
    panelCounting: 'Counting',
    panelTitle: (act: Act, found: Count) =>
      `${act === 'replay' ? 'Replay' : 'Discard'} ${many(found, 'dead letter', 'dead letters')}`,
    panelRunning: (act: Act) => (act === 'replay' ? 'Replay' : 'Discard'),
    panelAct: (act: Act, found: Count) => `${act === 'replay' ? 'Replay' : 'Discard'} ${num(found)}`,
    goesOn: 'It goes on when you close this.',
    willGo: (act: Act) => (act === 'replay' ? 'Will go' : 'Will be discarded'),
    skipped: 'Skipped',
    skippedWhy: (reason: string, count: number) =>
      `${num(count)} ${{ endpoint_deleted: 'endpoint deleted', payload_expunged: 'payload deleted', already_delivered: 'delivered already' }[reason] ?? reason}`,
    takes: 'Takes about',
    whatGoes: 'What goes',
    ofTheFirst: (count: number) => `of the first ${num(count)}`,
    rate: 'Rate',
    upToLimit: (limit: string) => `up to the endpoint’s limit of ${limit}`,
    aSecond: 'a second',
    oldestFirst: 'Send the oldest one first',
    oldestFirstNote: 'Goes on only if it is answered 2xx.',
    note: 'Note for the audit log (optional)',
    discardNote: 'Reason (kept in the audit log)',
  },
  condition: {
    title: (condition: Target['condition'], name: string) => {
      const text = {
        answers: 'can take them',
        fails: 'still fails',
        silent: 'was sent nothing lately',
        disabled: 'is disabled',
        paused: 'is paused',
        deleted: 'is deleted',
      }[condition];
      return `${name} ${text}`;
    },
    text: (target: Target, format: Format, now: number): string => {
      if (target.condition === 'answers')
        return [
          `It answers 2xx${target.successesSince ? `, without a failure since ${format.moment(target.successesSince, now)}` : ''}.`,
          target.p95Ms !== null && `p95 ${format.duration(target.p95Ms)}.`,
        ]
          .filter(Boolean)
          .join(' ');
      if (target.condition === 'fails')
        return `Last answer: ${answer(target.lastStatusCode, target.lastFailure)}.${target.lastSuccessAt ? ` The last 2xx was ${format.ago(target.lastSuccessAt, now)}.` : ''} They would fail again.`;
      if (target.condition === 'silent') return 'Whether it answers is not known. Send the oldest one first.';
      if (target.condition === 'deleted') return 'What was for it is skipped.';
      return 'They will be held until it goes on.';
    },
  },
  task: {
    task: 'Task',
    note: 'What takes longer than a request: replays, recoveries, erasures, counts.',
    what: 'What',
    none: 'No background tasks',
    noneNote: 'Replays, recoveries and erasures of many show here, with their progress.',
    kinds: (kind: string) =>
      ({
        'dead_letter.replay': 'Replay of dead letters',
        'dead_letter.discard': 'Discard of dead letters',
        'endpoint.recover': 'Recovery of an endpoint',
        'endpoint.replay_missing': 'What an endpoint was never sent',
        'endpoint.bulk_replay': 'Replay to an endpoint',
        'endpoint.cancel_waiting': 'Call-off of what waits',
        'application.purge_content': 'Deletion of payloads',
        'application.erase': 'Erasure of an application',
        'message.erase': 'Erasure of a message',
        'tag.erase': 'Erasure of a tag',
        'application.usage': 'Count of usage',
        'event_type.usage': 'Count of event types',
      })[kind] ?? kind,
    status: (status: string, isCanceled: boolean) =>
      isCanceled ? 'Stopped' : ({ running: 'Running', finished: 'Done', failed: 'Failed' }[status] ?? status),
    title: (kind: string, status: string, isCanceled: boolean) => {
      const name = traffic.task.kinds(kind);
      return status === 'running' ? name : `${name}: ${traffic.task.status(status, isCanceled).toLowerCase()}`;
    },
    progress: (
      task: {
        progress: { done: number; total: number; failedAgain: number | null; delivered: number | null };
        data: { ratePerSecond?: number | null };
        status: string;
      },
      format: Format,
    ) => {
      const { done, total, delivered, failedAgain } = task.progress;
      const rate = task.data.ratePerSecond;
      const isCounting = task.status === 'running' && total === 0;
      return [
        isCounting ? 'being counted' : `${num(done)} of ${num(total)}`,
        delivered ? `${num(delivered)} delivered` : null,
        failedAgain ? `${num(failedAgain)} failed again` : null,
        task.status === 'running' && rate && !isCounting
          ? `${format.duration(((total - done) / rate) * 1000)} left`
          : null,
        rate ? `${num(rate)} a second` : null,
      ]
        .filter(Boolean)
        .join(' · ');
    },
    progressLabel: 'Progress',
    done: 'Done',
    failed: 'It failed',
    error: (error: string) =>
      error === 'first_was_refused' ? 'The oldest one was not answered 2xx, so the rest stayed where they are.' : error,
    delivered: 'Delivered',
    failedAgain: 'Failed again',
    asked: 'What was asked',
    everything: 'all of them',
    conditions: {
      ids: 'chosen ones',
      appId: 'application',
      appIds: 'applications',
      endpointId: 'endpoint',
      toEndpointId: 'to the endpoint',
      eventType: 'event type',
      eventTypes: 'event types',
      channel: 'channel',
      tag: 'tag',
      tagHash: 'tag, as SHA-256',
      msgId: 'message',
      reason: 'reason',
      state: 'state',
      status: 'deliveries that',
      statusCode: 'last status',
      statusCodeClass: 'last answer',
      since: 'since',
      until: 'until',
      oldestFirst: 'oldest first',
    },
    standings: {
      0: 'arrived',
      1: 'wait for their first attempt',
      2: 'failed for good',
      3: 'wait to be tried again',
      4: 'were called off',
    },
    rate: 'Rate',
    stop: 'Stop',
  },
};
