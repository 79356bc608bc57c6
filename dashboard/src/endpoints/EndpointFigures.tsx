// Five numbers of an endpoint, each a door to what it counts.
import type { EndpointOverview } from '../api/types';
import { FigureLink, Figures } from '../design/charts/Figure';
import { useFormat, useT } from '../i18n';
import { usePlaces } from '../navigation/places';

interface Props {
  appId: string;
  endpointId: string;
  overview: EndpointOverview;
}

export function EndpointFigures({ appId, endpointId, overview }: Props) {
  const t = useT();
  const format = useFormat();
  const path = usePlaces().endpoint(appId, endpointId);
  const door = (tab: string, more: Record<string, string> = {}) => ({ to: path, search: { tab, ...more } as never });
  const kind = (...kinds: string[]) => overview.underWay.filter((each) => kinds.includes(each.kind));
  const count = (...kinds: string[]) => {
    const parts = kind(...kinds);
    return t.num({
      count: parts.reduce((sum, each) => sum + each.count, 0),
      isCapped: parts.some((each) => each.isCapped),
    });
  };
  const { attempts } = overview;
  const all = Object.values(attempts).reduce((sum, each) => sum + each, 0);
  const oldest = kind('due', 'retry')
    .map((each) => each.oldestAt)
    .filter((at) => at !== null)
    .sort()[0];
  return (
    <Figures count={5}>
      <FigureLink
        {...door('messages', { state: 'delivered' })}
        icon="delivered"
        tone="delivered"
        name={t.figures.answered}
        value={all === 0 ? '–' : format.percent(attempts.status2xx / all)}
        detail={t.figures.of(format.number(attempts.status2xx), t.count.attempts(all))}
      />
      <FigureLink
        {...door('messages', { state: 'waiting' })}
        icon="waiting"
        tone="waiting"
        name={t.states.waiting}
        value={count('due', 'retry')}
        detail={
          oldest ? t.figures.oldest(format.duration(Date.now() - new Date(oldest).getTime())) : t.figures.nothingWaits
        }
      />
      <FigureLink
        {...door('messages', { state: 'held' })}
        icon="held"
        tone="held"
        name={t.states.held}
        value={count('held_disabled', 'held_paused')}
        detail={overview.heldBecause ? t.why.short(overview.heldBecause.code) : t.figures.notHeld}
      />
      <FigureLink
        {...door('dead-letters')}
        icon="dead"
        tone="dead"
        name={t.figures.deadLetters}
        value={count('dead')}
        detail={t.figures.newDead(overview.died)}
      />
      <FigureLink
        {...door('attempts')}
        icon="gauge"
        name={t.figures.p95}
        value={overview.latency.receiver.p95Ms === null ? '–' : format.duration(overview.latency.receiver.p95Ms)}
        detail={
          overview.latency.receiver.p50Ms === null
            ? undefined
            : t.figures.half(format.duration(overview.latency.receiver.p50Ms))
        }
      />
    </Figures>
  );
}
