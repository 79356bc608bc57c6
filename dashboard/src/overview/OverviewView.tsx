// The first screen: is something wrong, whose fault is it, what is to be done.

import { useLive } from '../api/live';
import type { Overview } from '../api/types';
import { Button, ButtonLink } from '../design/controls/Button';
import { Segmented } from '../design/controls/Segmented';
import { LiveMark } from '../design/feedback/LiveMark';
import { Loaded, Skeleton } from '../design/feedback/Loaded';
import { Callout, Empty } from '../design/feedback/Notice';
import { Rich } from '../design/values/Rich';
import { useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { NodesTable } from '../nodes/NodesTable';
import { useShell } from '../shell/Nav';
import { FiguresRow } from './FiguresRow';
import { factsOf } from './headline';
import { Incidents } from './Incidents';
import { Latency } from './Latency';
import './overview.css';
import { Section } from '../design/layout/Card';
import { Go } from '../navigation/places';
import { PauseAll, ResumeAll } from './PauseAll';
import { rangeOf, ranges, useOverview } from './queries';
import { UnderWayTable } from './UnderWayTable';
import { WorstEndpoints } from './WorstEndpoints';

export function OverviewView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const range = rangeOf(url.range);
  const query = useOverview(range);
  return (
    <Loaded query={query} skeleton={<OverviewSkeleton />} title={t.overview.failed}>
      {(overview) => <Content overview={overview} range={range} onRange={(value) => setUrl({ range: value })} />}
    </Loaded>
  );
}

interface Props {
  overview: Overview;
  range: Overview['range'];
  onRange: (range: Overview['range']) => void;
}

function Content({ overview, range, onRange }: Props) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const [url, setUrl] = useUrl();
  const { session } = useShell();
  const live = useLive('/live', { counters: () => {} });
  const facts = factsOf(overview);
  const isOperator = session.role === 'operator';
  return (
    <>
      <div className="overview-bar">
        <LiveMark status={live} />
        <span className="caption only-wide">{t.overview.localTime(format.full(now))}</span>
        <span className="grow" />
        <Segmented
          label={t.range}
          value={range}
          onChange={onRange}
          options={ranges.map((value) => ({ value, label: t.ranges[value] }))}
        />
        {isOperator && !overview.pausedAt && (
          <Button icon="held" onClick={() => setUrl({ panel: 'pause' })}>
            {t.overview.pauseAll}
          </Button>
        )}
      </div>
      <div className="headline">
        <h1>
          {t.headline.going(facts.going, format)}{' '}
          {facts.wrong ? t.headline.wrong(facts.wrong) : facts.going.kind === 'going' && t.headline.well}
        </h1>
        <p>
          <Rich text={t.headline.safe(facts, format)} />
        </p>
      </div>
      {overview.pausedAt && (
        <Callout
          state="held"
          icon="held"
          title={t.overview.paused(overview.pausedBy)}
          actions={isOperator && <ResumeAll />}
        >
          {t.overview.pausedNote(format.moment(overview.pausedAt, now))}
        </Callout>
      )}
      {overview.applications.count === 0 && (
        <div className="card">
          <Empty
            icon="application"
            title={t.applications.none}
            action={
              <ButtonLink to="/applications" search={{ panel: 'new' } as never} icon="plus">
                {t.applications.create}
              </ButtonLink>
            }
          >
            {t.applications.noneNote}
          </Empty>
        </div>
      )}
      <Incidents incidents={overview.incidents} />
      <Section title={t.overview.last[range]} note={t.overview.asOfNow}>
        <FiguresRow overview={overview} />
      </Section>
      <div className="columns half even">
        <Latency latency={overview.latency} series={overview.series} />
        <UnderWayTable underWay={overview.underWay} />
      </div>
      <WorstEndpoints endpoints={overview.worstEndpoints} total={overview.endpoints} />
      {overview.nodes && (
        <Section
          title={t.overview.nodes}
          end={
            isOperator && (
              <Go to="/nodes" className="link">
                {t.shell.nodes}
              </Go>
            )
          }
        >
          <div className="card">
            <NodesTable nodes={overview.nodes} />
          </div>
        </Section>
      )}
      <PauseAll
        isOpen={url.panel === 'pause' && isOperator}
        onClose={() => setUrl({ panel: undefined })}
        underWay={overview.underWay}
      />
    </>
  );
}

function OverviewSkeleton() {
  return (
    <div className="stack" aria-busy="true">
      <Skeleton height={32} />
      <Skeleton height={64} />
      <Skeleton height={240} />
      <Skeleton height={140} />
      <Skeleton height={320} />
    </div>
  );
}
