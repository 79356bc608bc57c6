// Applications and endpoints.
import type { Endpoint, PolicyLevel, RecoverPreview, Sparkline } from '../../api/types';
import type { StandingKind } from '../../endpoints/standing';
import type { Format } from '../format';
import { answer } from './answers';
import { type Count, many, num } from './words';

/** A share of failures that is told although the endpoint works now. */
export const noticeable = 0.05;

export const tenants = {
  applications: {
    title: 'Applications',
    create: 'New application',
    search: 'Name or uid',
    summary: (applications: Count, endpoints: Count) =>
      `${many(applications, 'application', 'applications')} with ${many(endpoints, 'endpoint', 'endpoints')}.`,
    none: 'No applications yet',
    noneNote: 'An application is one tenant of yours: it has endpoints, and messages are posted to it.',
  },
  application: {
    application: 'Application',
    endpoints: 'Endpoints',
    active: 'Active',
    paused: 'Paused',
    failing: (count: number) => `${num(count)} failing`,
    edit: 'Edit the application',
    nameNote: 'For people.',
    uid: 'Your own id',
    uidNote: 'It can be used wherever our id can. Letters, digits, - _ and dots.',
    rateLimit: 'Messages a second, at most',
    rateLimitNote: 'For all endpoints together. Empty: no limit.',
    perSecond: (count: string) => `${count} messages a second at most`,
    tabs: {
      endpoints: 'Endpoints',
      messages: 'Messages',
      'dead-letters': 'Dead letters',
      usage: 'Usage',
      audit: 'Audit',
    },
    isPaused: 'This application is paused',
    isPausedNote: (since: string) =>
      `Since ${since}. Its messages are accepted and held; they go out when it is resumed.`,
    portalLink: 'Portal link…',
    pause: 'Pause…',
    resume: 'Resume',
    resumed: (name: string) => `${name} goes on.`,
    pauseTitle: (name: string) => `Pause ${name}`,
    pauseAct: 'Pause',
    pauseText:
      'Its messages are accepted and held, and go out when you resume. What is held for longer than the hold limit becomes a dead letter.',
    erase: 'Erase all payloads…',
    eraseTitle: (name: string) => `Erase all payloads of ${name}`,
    eraseAct: 'Erase payloads',
    eraseText:
      'The payloads of all its messages are deleted, and so is what waits to be sent. That there were messages stays known. This cannot be undone.',
    delete: 'Delete…',
    deleteTitle: (name: string) => `Delete ${name}`,
    deleteText:
      'Its endpoints, messages and dead letters are deleted, and nothing more is sent to them. This cannot be undone.',
  },
  portalLink: {
    title: 'Portal link',
    expiry: 'Valid for',
    expiries: (hours: number) => (hours < 24 ? many(hours, 'hour', 'hours') : many(hours / 24, 'day', 'days')),
    readOnly: 'Read only',
    readOnlyNote: 'To look, without secrets and without changes.',
    allows: 'What the link allows',
    capabilities: (name: string) =>
      ({
        ManageEndpoint: 'Add, change and delete endpoints',
        ManageEndpointSecret: 'Rotate signing secrets',
        ViewEndpointSecret: 'See signing secrets',
        CreateAttempts: 'Test, resend and replay',
      })[name] ?? name,
    make: 'Make the link',
    another: 'Make another',
    ready: 'The link',
    secret: 'Who has this link has what it allows. Send it to the tenant alone.',
    open: 'Open the portal',
  },
  usage: {
    attempts: 'Attempts',
    byAnswer: 'by answer',
    average: 'Average answer',
    each: (count: string) => `${count} a delivery`,
    noAnswer: 'no answer',
  },
  endpoint: {
    endpoint: 'Endpoint',
    search: 'URL, description or uid',
    create: 'Add an endpoint',
    edit: 'Edit the endpoint',
    none: 'No endpoints yet',
    noneNote: 'An endpoint is a URL that gets the messages of this application.',
    standing: (kind: StandingKind) =>
      ({ active: 'Active', failing: 'Failing', paused: 'Paused', disabled: 'Disabled' })[kind],
    standingWhy: (endpoint: Endpoint, chart: Sparkline | undefined, format: Format, now: number): string => {
      if (endpoint.disabled)
        return (
          { gone: 'answered 410 Gone', failing: 'failed for days', request: 'by request' }[
            endpoint.disabledReason ?? ''
          ] ?? ''
        );
      if (endpoint.pausedAt) return `since ${format.moment(endpoint.pausedAt, now)}`;
      if (chart?.failingSince)
        return `${answer(chart.lastStatusCode, chart.lastFailure)} since ${format.moment(chart.failingSince, now)}`;
      if ((chart?.failedShare ?? 0) > noticeable && chart?.lastFailure)
        return `failed lately: ${answer(chart.lastStatusCode, chart.lastFailure)}`;
      return chart?.p95Ms ? `answers within ${format.duration(chart.p95Ms)}` : '';
    },
    url: 'URL',
    urlNote: 'Requests are posted there. https, unless the operator allows others.',
    description: 'Description',
    eventTypes: 'Event types',
    eventTypesNote: 'Only messages of these. Empty: all.',
    channels: 'Channels',
    channelsNote: 'Only messages with one of these. Empty: all.',
    uidNote: 'It can be used wherever our id can.',
    rateLimit: 'Requests a second, at most',
    rateLimitNote: 'Empty: as the application or the server says.',
    maxInFlight: 'Requests at once, at most',
    maxInFlightNote: 'Empty: as the server says.',
    schedule: 'Waits before the retries, in seconds',
    scheduleNote: 'Empty: as the application or the server says.',
    tabs: {
      health: 'Health',
      messages: 'Messages',
      attempts: 'Attempts',
      'dead-letters': 'Dead letters',
      audit: 'Audit',
    },
    pause: 'Pause…',
    resume: 'Resume',
    recover: 'Recover…',
    test: 'Send a test',
    enable: 'Enable',
    disable: 'Disable…',
    headersEdit: 'Headers…',
    isPaused: 'The endpoint is paused.',
    isResumed: 'The endpoint goes on.',
    isEnabled: 'The endpoint is enabled; what was held goes out.',
    isDisabled: 'The endpoint is disabled.',
    isDeleted: 'The endpoint is deleted.',
    pauseTitle: 'Pause this endpoint',
    pauseAct: 'Pause',
    pauseText:
      'Its deliveries are held, use up no attempts, and go out when you resume. What is held for longer than the hold limit becomes a dead letter.',
    disableTitle: 'Disable this endpoint',
    disableAct: 'Disable',
    disableText:
      'Its deliveries are held, and go out when it is enabled again. What is held for longer than the hold limit becomes a dead letter.',
    deleteTitle: 'Delete this endpoint',
    deleteText: 'Nothing more is sent to it, and what waits for it becomes dead letters. This cannot be undone.',
    failingSince: (since: string, last: string) => `Failing since ${since}: ${last}`,
    failingNote:
      'The receiver’s fault. It is retried on schedule and slowly, and speeds up by itself once it answers 2xx.',
    failingNoteTenant: 'We retry on schedule. Once your server answers 2xx, everything that waits is sent.',
    throttled: (until: string) => `It asked to wait until ${until}.`,
    copyNote: 'Note for the tenant',
    noteForTenant: (endpoint: string, what: string) =>
      `Your endpoint ${endpoint} is failing. ${what}. We retry on schedule; nothing is lost. Once it answers 2xx, what waits is sent.`,
    otherAnswers: 'other answers',
    answers: 'Answers',
    latest: 'Latest attempts',
    allAttempts: 'All attempts',
    noAttempts: 'No attempts',
    noAttemptsNote: 'Requests to this endpoint show here.',
  },
  attempt: { time: 'Time', attempt: 'Attempt', answer: 'Answer', took: 'Took' },
  secrets: {
    title: 'Secrets',
    rotate: 'Rotate…',
    rotated: 'The secret is rotated.',
    rotateTitle: 'Rotate the signing secret',
    rotateAct: 'Rotate',
    rotateText:
      'A new secret signs from now on. The old one signs along during the grace period, so that the receiver can change over at any time.',
    grace: 'Grace period of the old secret',
    graces: (hours: number) =>
      hours === 0 ? 'none: it ends now' : hours < 24 ? many(hours, 'hour', 'hours') : many(hours / 24, 'day', 'days'),
    signs: 'Signs now',
    signsUntil: (until: string) => `Signs along until ${until}`,
    endNow: 'End now…',
    endTitle: 'End the old secret now',
    endAct: 'End now',
    endText: 'It signs no longer. A receiver that still checks with it refuses every request. This cannot be undone.',
    kinds: { hmac_sha256: 'HMAC-SHA256', ed25519: 'Ed25519' },
    since: (at: string) => `since ${at}`,
    both: (left: string) => `${left} of grace left. Both signatures are sent.`,
  },
  policies: {
    title: 'Policies',
    from: (source: PolicyLevel) =>
      ({ server: 'server’s', environment: 'environment’s', application: 'application’s', endpoint: '' })[source],
    retries: 'Retries',
    rate: 'Rate',
    atOnce: 'At once',
    deadline: 'Deadline',
    disabledAfter: 'Disabled after',
    heldFor: 'Held for',
    perSecond: (count: string) => `${count} a second`,
    never: 'never',
    ofFailures: (span: string) => `${span} of failures only`,
    atMost: (span: string) => `${span} at most`,
  },
  headers: {
    title: 'Headers',
    note: 'Sent with every request. Values that look secret are not shown again.',
    name: 'Name',
    value: 'Value',
    kept: 'kept as it is',
    remove: 'Remove the header',
    add: 'Add a header',
  },
  recover: {
    title: 'Send again what it missed',
    act: 'Send again',
    started: 'It is being sent again.',
    what: 'What',
    failed: 'What failed for good',
    failedNote: 'Open dead letters of the messages of that time; what waits for a retry goes at once.',
    missing: 'What it was never sent',
    missingNote: 'Messages of that time that match it and were never attempted, for example from before it was added.',
    wouldGo: ({ deadLetters, waiting }: RecoverPreview) =>
      `Of the messages accepted since then: ${many(deadLetters, 'open dead letter', 'open dead letters')}, ${many(waiting, 'delivery', 'deliveries')} waiting for a retry.`,
    missed: (messages: Count) =>
      `Of the messages accepted since then, ${many(messages, 'matches it and was never attempted', 'match it and were never attempted')}.`,
    since: 'Since',
    rate: 'At most this many a second',
    rateNote: 'Empty: as fast as the endpoint takes them.',
  },
};
