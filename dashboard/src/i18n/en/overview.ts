// The overview: headline, incidents, figures.
import type { Incident, UnderWay } from '../../api/types';
import type { Facts, Going, Wrong } from '../../overview/headline';
import type { Format } from '../format';
import { answer, known } from './answers';
import { type Count, capital, many, num, word } from './words';

export const overview = {
  overview: {
    failed: 'The overview could not be loaded',
    localTime: (time: string) => `${time} · local time`,
    pauseAll: 'Pause everything…',
    pauseTitle: 'Pause all deliveries of all environments',
    pauseAct: 'Pause everything',
    pauseText: (inFlight: number) =>
      `Nothing goes out until you resume. Messages are accepted and kept meanwhile, and none becomes a dead letter. ${inFlight > 0 ? `${many(inFlight, 'request that is', 'requests that are')} out will finish.` : ''}`,
    pausedNow: 'Everything is paused.',
    paused: (by: string | null) => (by ? `Everything is paused by ${by}` : 'Everything is paused'),
    pausedNote: (since: string) => `Since ${since}. Messages are accepted and kept; they go out when you resume.`,
    resume: 'Resume everything',
    incidents: 'Incidents',
    asOfNow: 'Waiting, held and dead letters: as of now',
    last: {
      '1h': 'Last hour',
      '3h': 'Last 3 hours',
      '24h': 'Last 24 hours',
      '7d': 'Last 7 days',
      '30d': 'Last 30 days',
    },
    nodes: 'Nodes',
  },
  headline: {
    going: (going: Going, format: Format): string => {
      if (going.kind === 'paused')
        return `Paused${going.by ? ` by ${going.by}` : ''} since ${format.moment(going.since)}.`;
      if (going.kind === 'silent')
        return going.since ? `No delivery has gone out since ${format.moment(going.since)}.` : 'No delivery goes out.';
      if (going.kind === 'slow')
        return `Deliveries are slow: one in twenty starts ${format.duration(going.p95Ms)} late.`;
      if (going.kind === 'idle') return 'No messages came in this time.';
      return 'Deliveries are going out.';
    },
    well: 'All is well. Nothing waits longer than it should.',
    wrong: ({ stoppedNodes, nodes, isOverdue, receivers }: Wrong): string => {
      const parts: string[] = [];
      if (stoppedNodes > 0)
        parts.push(`${word(stoppedNodes)} of our ${word(nodes)} nodes ${stoppedNodes === 1 ? 'has' : 'have'} stopped`);
      if (isOverdue) parts.push('some deliveries are overdue');
      if (receivers > 0) parts.push(`${word(receivers)} ${receivers === 1 ? 'receiver is' : 'receivers are'} failing`);
      return `${capital(parts.join(parts.length > 2 ? '; ' : ', and '))}.`;
    },
    safe: ({ waiting, held, usualMs }: Facts, format: Format): string => {
      const rest = [
        waiting.count > 0 && `${many(waiting, 'delivery waits', 'deliveries wait')}`,
        held.count > 0 && `${num(held)} ${held.count === 1 ? 'is' : 'are'} held`,
      ]
        .filter(Boolean)
        .join(' and ');
      return [
        `**Nothing is lost.**`,
        rest && `${capital(rest)}.`,
        usualMs !== null && `Half of all deliveries arrive within ${format.duration(usualMs)}.`,
      ]
        .filter(Boolean)
        .join(' ');
    },
  },
  incident: {
    bands: { now: 'Needs you now', later: 'Can wait until morning' },
    ours: 'Ours',
    receiver: 'Receiver',
    acknowledge: 'Acknowledge',
    takeBack: 'Take back',
    seen: (by: string | null, at: string) => `Seen${by ? ` by ${by}` : ''}, ${at}`,
    open: (incident: Incident) => (incident.kind === 'node_stopped' ? 'Open node' : 'Open queue'),
    title: (incident: Incident, endpoint: string): string => {
      if (incident.kind === 'node_stopped') return `Node ${incident.nodeName} has stopped`;
      if (incident.kind === 'dispatching_paused') return 'All deliveries are paused';
      if (incident.kind === 'overdue') return 'Deliveries are overdue';
      return [incident.appName, endpoint].filter(Boolean).join(' · ');
    },
    what: (incident: Incident, format: Format, now: number): string => {
      const since = `since ${format.moment(incident.since, now)}, ${format.duration(now - new Date(incident.since).getTime())}`;
      const waiting = incident.waiting && incident.waiting.count > 0 && `${num(incident.waiting)} waiting`;
      const held =
        incident.held &&
        incident.held.count > 0 &&
        `${num(incident.held)} held${incident.heldUntil ? ` until ${format.moment(incident.heldUntil, now)}` : ''}`;
      const beyond = known(incident.lastStatusCode, incident.lastFailure, incident.lastError);
      const said = beyond && `last: ${beyond}`;
      const first = {
        node_stopped: `No heartbeat ${since}${incident.takenOverBy ? ` · its work was taken over by ${incident.takenOverBy}` : ''}`,
        dispatching_paused: `Paused ${since}`,
        overdue: `Due ${since}, and not sent`,
        endpoint_failing: `${capital(answer(incident.lastStatusCode, incident.lastFailure))} ${since}`,
        endpoint_disabled:
          incident.disabledReason === 'gone'
            ? `Answered 410 Gone, so disabled ${since}`
            : `Failed for days, so disabled ${since}`,
      }[incident.kind];
      return [first, waiting, held, said].filter(Boolean).join(' · ');
    },
    todo: (incident: Incident): string => {
      if (incident.kind === 'node_stopped')
        return `**Restart ${incident.nodeName}.** The other nodes carry its work meanwhile.`;
      if (incident.kind === 'dispatching_paused') return '**Resume** when the reason for the pause is over.';
      if (incident.kind === 'overdue') return '**Look at the queue.** The nodes may be too few, or one of them stuck.';
      if (incident.kind === 'endpoint_disabled')
        return `**Ask ${incident.appName}** for a working URL; enabling it sends what is held.`;
      if (incident.diedLastHour > 0)
        return `**Tell ${incident.appName}.** ${many(incident.diedLastHour, 'delivery', 'deliveries')} became dead letters in the last hour; replay them once it answers.`;
      return '**Nothing.** It is retried on schedule, and goes out by itself once the receiver answers 2xx.';
    },
    chart: (incident: Incident, span: string) =>
      `${{ node_stopped: 'sent', dispatching_paused: 'sent', overdue: 'sent', endpoint_failing: 'failed', endpoint_disabled: 'held' }[incident.kind]}, last ${span}`,
  },
  figures: {
    accepted: 'Accepted',
    failedAttempts: 'Failed attempts',
    deadLetters: 'Dead letters',
    rates: (usual: string, now: string) => `${usual}, now ${now}`,
    of: (part: string, whole: string) => `${part} of ${whole}`,
    lastHour: (count: string) => `${count} in the last hour`,
    nextRetry: (span: string) => `next retry in ${span}`,
    retryNow: 'the next retry is due',
    nothingWaits: 'nothing waits for a retry',
    atEndpoints: (count: number) => (count === 0 ? 'nothing is held' : many(count, 'endpoint', 'endpoints')),
    openNew: (count: number) => `open · ${num(count)} new`,
    answered: 'Answered 2xx',
    oldest: (span: string) => `oldest ${span}`,
    notHeld: 'not paused, not disabled',
    newDead: (count: number) => (count === 0 ? 'none new' : `${num(count)} new`),
    p95: 'p95 of receiver',
    half: (span: string) => `half within ${span}`,
  },
  latency: {
    title: 'Latency',
    note: 'accepted → answered',
    part: 'Part',
    endToEnd: 'End to end',
    receiver: 'Receiver: request to answer',
    own: 'Ours: accepted to sent',
    ofReceiver: 'of the receiver',
  },
  underWay: {
    title: 'What is under way',
    now: 'now',
    state: 'State',
    deliveries: 'Deliveries',
    oldest: 'Oldest',
    why: 'Why',
    kinds: {
      in_flight: 'In flight',
      due: 'Waiting, due',
      retry: 'Waiting, retry',
      held_disabled: 'Held, disabled',
      held_paused: 'Held, paused',
      dead: 'Dead letters',
    },
    requestsOut: 'requests that are out',
    aboutToGo: 'about to go',
    others: (count: number) => many(count, 'other', 'others'),
    nothing: 'Nothing is under way',
    nothingNote: 'What is being sent, waits, or is held shows here.',
    whatWaits: 'What waits, and why',
    whyOf: (row: UnderWay, format: Format): string => {
      if (row.kind === 'in_flight')
        return row.endpoints === 1 ? 'requests that are out, or wait for their turn' : 'requests that are out';
      if (row.kind === 'due') return 'about to go, in the order of their turn';
      if (row.kind === 'retry')
        return row.nextAt
          ? `next in ${format.duration(Math.max(0, new Date(row.nextAt).getTime() - Date.now()))}`
          : 'on schedule';
      if (row.kind === 'held_disabled') return 'goes out when the endpoint is enabled';
      return 'goes out when resumed';
    },
  },
  worst: {
    title: 'Worst endpoints',
    note: 'by failed share of attempts in the last hour; small charts from 0 to 100 %',
    all: (count: Count) => `All ${many(count, 'endpoint', 'endpoints')}`,
    last24h: 'Last 24 h',
    failed: 'Failed',
    mostly: 'Last failure',
    none: 'No endpoint fails',
    noneNote: 'Endpoints with failed attempts in the last hour show here.',
  },
  node: {
    node: 'Node',
    heartbeat: 'Heartbeat',
    ago: (span: string) => `${span} ago`,
    sent: 'Sent',
    perSecond: (count: string) => `${count} /s`,
    roles: 'Roles',
    states: { running: 'Running', silent: 'Silent', stopped: 'Stopped' },
    up: (span: string) => `up ${span}`,
    takenOver: (by: string) => `its work was taken over by ${by}`,
    note: 'The processes that run, and what is queued at each tenant and endpoint.',
    byApplication: 'Queue by application',
    byEndpoint: 'Queue by endpoint',
    queueNote: 'the oldest due first',
    due: 'Due',
    oldestDue: 'Oldest due',
    empty: 'The queue is empty',
    emptyNote: 'Retries, replays and what is held wait in the queue. What goes well never enters it.',
  },
};
