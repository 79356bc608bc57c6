// Deliveries and attempts of an application over time.
import { api } from '../api/client';
import type { Schemas } from '../api/types';
import { Chart } from '../design/charts/Chart';
import { Figure, Figures } from '../design/charts/Figure';
import { Segmented } from '../design/controls/Segmented';
import { Loaded } from '../design/feedback/Loaded';
import { Card } from '../design/layout/Card';
import { useFormat, useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { rangeOf } from '../overview/queries';

const ranges = ['24h', '7d', '30d'] as const;
const hours = { '1h': 1, '3h': 3, '24h': 24, '7d': 168, '30d': 720 };
const hourMs = 3_600_000;

/** The buckets from `since` on, with nothing where the server has nothing to tell. */
export function filled(series: Schemas['SeriesOut'], since: string, bucketSeconds: number, buckets: number) {
  const start = new Date(since).getTime();
  const columns = { success: empty(buckets), client: empty(buckets), server: empty(buckets), none: empty(buckets) };
  for (const bucket of series.data) {
    const place = Math.floor((new Date(bucket.at).getTime() - start) / 1000 / bucketSeconds);
    if (place < 0 || place >= buckets) continue;
    columns.success[place] = bucket.attempts.status2xx;
    columns.client[place] = bucket.attempts.status3xx + bucket.attempts.status4xx;
    columns.server[place] = bucket.attempts.status5xx;
    columns.none[place] = bucket.attempts.noResponse;
  }
  return columns;
}

function empty(length: number): number[] {
  return Array.from({ length }, () => 0);
}

export function Usage({ appId }: { appId: string }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const range = rangeOf(url.range, [...ranges], '7d');
  const isDaily = range === '30d';
  const bucketSeconds = isDaily ? 86_400 : 3600;
  const stepMs = bucketSeconds * 1000;
  // Cut to the bucket, so that the question stays the same while the view is open.
  const since = new Date(Math.floor((Date.now() - hours[range] * hourMs) / stepMs) * stepMs + stepMs).toISOString();
  const query = api.useQuery('get', '/api/v1/app/{app_id}/stats/deliveries', {
    params: { path: { app_id: appId }, query: { bucket: isDaily ? 'day' : 'hour', since } },
  });
  return (
    <div className="stack">
      <div className="row">
        <span className="grow" />
        <Segmented
          label={t.range}
          value={range}
          onChange={(value) => setUrl({ range: value })}
          options={ranges.map((value) => ({ value, label: t.ranges[value] }))}
        />
      </div>
      <Loaded query={query}>
        {(series) => (
          <UsageContent
            series={series}
            since={since}
            bucketSeconds={bucketSeconds}
            buckets={(hours[range] * 3600) / bucketSeconds}
          />
        )}
      </Loaded>
    </div>
  );
}

interface ContentProps {
  series: Schemas['SeriesOut'];
  since: string;
  bucketSeconds: number;
  buckets: number;
}

function UsageContent({ series, since, bucketSeconds, buckets }: ContentProps) {
  const t = useT();
  const format = useFormat();
  const columns = filled(series, since, bucketSeconds, buckets);
  const { total } = series;
  const attempts = Object.values(total.attempts).reduce((sum, count) => sum + count, 0);
  const ended = total.delivered + total.dead;
  return (
    <>
      <Figures count={4}>
        <Figure
          icon="delivered"
          tone="delivered"
          name={t.states.delivered}
          value={format.number(total.delivered)}
          detail={ended > 0 ? format.percent(total.delivered / ended) : ''}
        />
        <Figure icon="dead" tone="dead" name={t.figures.deadLetters} value={format.number(total.dead)} />
        <Figure
          icon="replay"
          name={t.usage.attempts}
          value={format.number(attempts)}
          detail={total.delivered > 0 ? t.usage.each(format.oneDigit(attempts / Math.max(1, ended))) : ''}
        />
        <Figure
          icon="gauge"
          name={t.usage.average}
          value={total.averageDurationMs ? format.duration(total.averageDurationMs) : '–'}
        />
      </Figures>
      <Card title={t.usage.attempts} note={t.usage.byAnswer}>
        <Chart
          label={t.usage.attempts}
          kind="bars"
          height={220}
          startsAt={since}
          bucketSeconds={bucketSeconds}
          series={[
            { label: '2xx', colour: '--delivered-bar', values: columns.success },
            { label: '3xx, 4xx', colour: '--waiting-bar', values: columns.client },
            { label: '5xx', colour: '--dead-bar', values: columns.server },
            { label: t.usage.noAnswer, colour: '--cancelled-bar', values: columns.none },
          ]}
        />
      </Card>
    </>
  );
}
