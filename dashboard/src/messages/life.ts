// Where the events of a message's life stand on its strip. The past is left of now, the future right of it, both on a
// logarithmic scale, so that a retry after a minute and one after a day both show.
import type { Attempt, Delivery } from '../api/types';

export interface Mark {
  /** Percent from the left. */
  at: number;
  kind: 'delivered' | 'failed' | 'held' | 'next' | 'later';
  time: string;
}

export interface Lane {
  delivery: Delivery;
  marks: Mark[];
  /** Percent to which the line is solid. */
  solidTo: number;
  wasSentAgain: boolean;
}

export interface Life {
  now: number;
  lanes: Lane[];
  ticks: { at: number; time: string; kind: 'accepted' | 'past' | 'now' | 'future' }[];
}

const left = 2;
const right = 98;
const middle = 45;
const leastGap = 5;
const leastTickGap = 12;
// The first one says more, and stands to the right of its place.
const firstTickGap = 20;

export function lifeOf(acceptedAt: string, deliveries: Delivery[], attempts: Attempt[], nowMs: number): Life {
  const start = new Date(acceptedAt).getTime();
  const ahead = deliveries
    .flatMap((delivery) => [delivery.nextAttemptAt, ...delivery.laterAttemptsAt])
    .filter((time) => time !== null);
  const end = Math.max(nowMs, ...ahead.map((time) => new Date(time).getTime()));
  const last = Math.max(start + 1, ...attempts.map((attempt) => new Date(attempt.timestamp).getTime()));
  const hasFuture = ahead.length > 0;
  const isOpen = deliveries.some(
    (delivery) => delivery.state === 'waiting' || delivery.state === 'held' || delivery.state === 'in_flight',
  );
  const pastEnd = isOpen ? nowMs : last;
  const now = hasFuture ? middle : right;
  const place = (time: string) => {
    const ms = new Date(time).getTime();
    if (ms <= pastEnd || !hasFuture) return left + 3 + (now - left - 6) * share(ms - start, pastEnd - start, 1000);
    return now + 4 + (right - now - 6) * share(ms - nowMs, end - nowMs, 60_000);
  };
  const lanes = deliveries.map((delivery) => laneOf(delivery, attempts, place, isOpen ? now : right, acceptedAt));
  return { now, lanes, ticks: ticksOf(lanes, now, acceptedAt, isOpen) };
}

export function inOrder(attempts: Attempt[]): Attempt[] {
  return [...attempts].sort((one, other) => one.timestamp.localeCompare(other.timestamp));
}

/** From when the message was accepted until the attempt was answered. */
export function answeredAfterMs({ timestamp, responseDurationMs }: Attempt, acceptedAt: string): number {
  return new Date(timestamp).getTime() + responseDurationMs - new Date(acceptedAt).getTime();
}

/** Whether these attempts of one delivery, oldest first, are of more than one round of its schedule: a resend or a replay
 *  counts from one. */
export function wasSentAgain(oldestFirst: Attempt[]): boolean {
  return oldestFirst.some((attempt, place) => place > 0 && attempt.triggerType === 1 && attempt.attemptNumber === 1);
}

/** Of 0 to 1, by the logarithm. */
function share(ms: number, wholeMs: number, unitMs: number): number {
  if (wholeMs <= 0 || ms <= 0) return 0;
  return Math.min(1, Math.max(0, Math.log1p(ms / unitMs) / Math.log1p(wholeMs / unitMs)));
}

function laneOf(
  delivery: Delivery,
  attempts: Attempt[],
  place: (time: string) => number,
  now: number,
  acceptedAt: string,
): Lane {
  const made = inOrder(attempts.filter((attempt) => attempt.endpointId === delivery.endpointId));
  const marks = made.map(
    (attempt): Mark => ({
      at: place(attempt.timestamp),
      kind: attempt.status === 0 ? 'delivered' : 'failed',
      time: attempt.timestamp,
    }),
  );
  if (delivery.state === 'held')
    marks.push({ at: place(delivery.why.at ?? acceptedAt), kind: 'held', time: delivery.why.at ?? acceptedAt });
  spread(marks, left + 3, delivery.state === 'delivered' || delivery.state === 'dead' ? right : now - 3);
  const isOpen = delivery.state !== 'delivered' && delivery.state !== 'dead' && delivery.state !== 'cancelled';
  const solidTo = isOpen ? now : (marks.at(-1)?.at ?? left);
  const future: Mark[] = [];
  if (delivery.nextAttemptAt)
    future.push({ at: place(delivery.nextAttemptAt), kind: 'next', time: delivery.nextAttemptAt });
  for (const time of delivery.laterAttemptsAt) future.push({ at: place(time), kind: 'later', time });
  spread(future, now + 3, right);
  return { delivery, marks: [...marks, ...future], solidTo, wasSentAgain: wasSentAgain(made) };
}

/** Moves marks apart, so that none covers another, as far as there is room between `from` and `to`. */
function spread(marks: Mark[], from: number, to: number): void {
  const gap = Math.min(leastGap, marks.length > 1 ? (to - from) / (marks.length - 1) : leastGap);
  let before = from - gap;
  for (const mark of marks) {
    mark.at = Math.max(mark.at, before + gap);
    before = mark.at;
  }
  let after = to + gap;
  for (const mark of [...marks].reverse()) {
    mark.at = Math.min(mark.at, after - gap);
    after = mark.at;
  }
}

function ticksOf(lanes: Lane[], now: number, acceptedAt: string, isOpen: boolean): Life['ticks'] {
  const ticks: Life['ticks'] = [{ at: left, time: acceptedAt, kind: 'accepted' }];
  if (isOpen) ticks.push({ at: now, time: '', kind: 'now' });
  const marks = lanes.flatMap((lane) => lane.marks).sort((one, other) => one.at - other.at);
  for (const mark of marks) {
    const isFar = ticks.every(
      (tick) => Math.abs(tick.at - mark.at) >= (tick.kind === 'accepted' ? firstTickGap : leastTickGap),
    );
    if (isFar)
      ticks.push({
        at: mark.at,
        time: mark.time,
        kind: mark.kind === 'next' || mark.kind === 'later' ? 'future' : 'past',
      });
  }
  return ticks;
}
