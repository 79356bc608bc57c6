// Six numbers of the environment, each a door to what it counts.
import type { Overview } from '../api/types';
import { FigureLink, Figures } from '../design/charts/Figure';
import { Sparkline } from '../design/charts/Sparkline';
import { useFormat, useT } from '../i18n';

export function FiguresRow({ overview }: { overview: Overview }) {
  const t = useT();
  const format = useFormat();
  const { series } = overview;
  const ended = overview.delivered + overview.died;
  const kind = (...kinds: string[]) => overview.underWay.filter((each) => kinds.includes(each.kind));
  const count = (...kinds: string[]) => {
    const parts = kind(...kinds);
    return (
      format.number(parts.reduce((sum, each) => sum + each.count, 0)) + (parts.some((each) => each.isCapped) ? '+' : '')
    );
  };
  const retry = kind('retry')[0];
  const heldEndpoints = kind('held_disabled', 'held_paused').reduce((sum, each) => sum + each.endpoints, 0);
  const seconds = series.bucketSeconds * Math.max(1, series.accepted.length);
  const nextRetry = (at: string) => {
    const ms = new Date(at).getTime() - new Date(overview.asOf).getTime();
    return ms < 500 ? t.figures.retryNow : t.figures.nextRetry(format.duration(ms));
  };
  return (
    <Figures>
      <FigureLink
        to="/messages"
        icon="message"
        name={t.figures.accepted}
        value={format.number(overview.accepted)}
        detail={t.figures.rates(format.rate(overview.accepted / seconds), format.rate(overview.acceptedPerSecond))}
        chart={<Sparkline values={series.accepted} state="cancelled" />}
      />
      <FigureLink
        to="/messages"
        search={{ state: 'delivered' } as never}
        icon="delivered"
        tone="delivered"
        name={t.states.delivered}
        value={ended === 0 ? '–' : format.percent(overview.delivered / ended)}
        detail={t.figures.of(format.number(overview.delivered), format.number(ended))}
        chart={<Sparkline values={series.delivered} state="delivered" />}
      />
      <FigureLink
        to="/"
        hash="worst"
        icon="replay"
        name={t.figures.failedAttempts}
        value={format.number(overview.failedAttempts)}
        detail={t.figures.lastHour(format.number(overview.failedLastHour))}
        chart={<Sparkline values={series.failed} state="dead" />}
      />
      <FigureLink
        to="/messages"
        search={{ state: 'waiting' } as never}
        icon="waiting"
        tone="waiting"
        name={t.states.waiting}
        value={count('due', 'retry')}
        detail={retry?.nextAt ? nextRetry(retry.nextAt) : t.figures.nothingWaits}
        chart={<Sparkline values={series.waiting} state="waiting" />}
      />
      <FigureLink
        to="/messages"
        search={{ state: 'held' } as never}
        icon="held"
        tone="held"
        name={t.states.held}
        value={count('held_disabled', 'held_paused')}
        detail={t.figures.atEndpoints(heldEndpoints)}
        chart={<Sparkline values={series.held} state="held" />}
      />
      <FigureLink
        to="/dead-letters"
        icon="dead"
        tone="dead"
        name={t.figures.deadLetters}
        value={count('dead')}
        detail={t.figures.openNew(overview.died)}
        chart={<Sparkline values={series.deadOpen} state="dead" />}
      />
    </Figures>
  );
}
