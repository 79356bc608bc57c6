// The life of a message at a glance: one lane an endpoint. The attempts stand below in words, so it is not read out.
import type { Attempt, Delivery } from '../api/types';
import { Icon, type IconName } from '../design/values/Icon';
import { StateBadge } from '../design/values/State';
import { useNow } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { lifeOf, type Mark } from './life';

const bars: Record<Delivery['state'], string> = {
  delivered: '--delivered-bar',
  in_flight: '--inflight-bar',
  waiting: '--waiting-bar',
  held: '--held-bar',
  dead: '--dead-bar',
  cancelled: '--cancelled-bar',
};
const icons: Partial<Record<Mark['kind'], IconName>> = { delivered: 'delivered', failed: 'cross', held: 'held' };
const tones: Record<Mark['kind'], string> = {
  delivered: 'delivered',
  failed: 'dead',
  held: 'held',
  next: 'waiting',
  later: 'faint',
};

const shortMs = 120_000;
const veryShortMs = 10_000;

export function LifeStrip({
  acceptedAt,
  deliveries,
  attempts,
}: {
  acceptedAt: string;
  deliveries: Delivery[];
  attempts: Attempt[];
}) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const life = lifeOf(acceptedAt, deliveries, attempts, now);
  const times = life.ticks.map((tick) => new Date(tick.kind === 'now' ? now : tick.time).getTime());
  // What happens within minutes is told apart by seconds, what happens within seconds by less where there is room for it.
  const span = Math.max(...times) - Math.min(...times);
  const isShort = span < shortMs;
  const isAlone = life.ticks.length <= 2;
  const clock = span < veryShortMs && isAlone ? format.clockMs : isShort ? format.clockSeconds : format.clock;
  const hasNow = life.ticks.some((tick) => tick.kind === 'now');
  return (
    <div className="card life" aria-hidden="true">
      <div className="lane axis">
        <span />
        <div className="track">
          {life.ticks.map((tick) => (
            <span
              key={`${tick.kind} ${tick.time}`}
              className={`tick ${tick.kind === 'now' ? 'now' : ''} ${tick.at < 6 ? 'first' : tick.at > 88 ? 'last' : ''}`}
              style={{ left: `${tick.at}%` }}
            >
              {tick.kind === 'now'
                ? t.life.now(clock(now))
                : tick.kind === 'accepted'
                  ? t.life.accepted(clock(tick.time))
                  : isShort
                    ? clock(tick.time)
                    : format.moment(tick.time, now)}
            </span>
          ))}
        </div>
        <span />
      </div>
      {life.lanes.map((lane) => (
        <div className="lane" key={lane.delivery.endpointId}>
          <div className="cut small medium">
            <EndpointName url={lane.delivery.endpointUrl} />
          </div>
          <div className="track">
            <span
              className="done"
              style={{ left: '2%', width: `${lane.solidTo - 2}%`, background: `var(${bars[lane.delivery.state]})` }}
            />
            {hasNow && <span className="now-line" style={{ left: `${life.now}%` }} />}
            {lane.marks.map((mark) => (
              <span
                key={`${mark.kind} ${mark.time}`}
                className={`mark ${mark.kind === 'later' ? 'next' : mark.kind} ${tones[mark.kind]}`}
                style={{ left: `${mark.at}%` }}
              >
                {icons[mark.kind] && <Icon name={icons[mark.kind] as IconName} />}
              </span>
            ))}
          </div>
          <div className="row small">
            <StateBadge state={lane.delivery.state} />
            <span className="dim cut" title={t.life.summary(lane.delivery, format, now, lane.wasSentAgain)}>
              {t.life.summary(lane.delivery, format, now, lane.wasSentAgain)}
            </span>
          </div>
        </div>
      ))}
    </div>
  );
}
