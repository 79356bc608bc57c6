// How long it takes, end to end, and how much of it is ours.
import type { Schemas } from '../api/types';
import { Chart } from '../design/charts/Chart';
import { Section } from '../design/layout/Card';
import { useFormat, useT } from '../i18n';

type Percentiles = Schemas['Percentiles'];

export function latencySeries(points: Percentiles[]) {
  return [
    { label: 'p50', colour: '--accent', values: points.map((point) => point.p50Ms), width: 2 },
    { label: 'p95', colour: '--accent-text', values: points.map((point) => point.p95Ms), width: 1, dash: [6, 3] },
    { label: 'p99', colour: '--text-3', values: points.map((point) => point.p99Ms), width: 1, dash: [2, 3] },
  ];
}

export function Latency({ latency, series }: { latency: Schemas['LatencyOut']; series: Schemas['SeriesColumns'] }) {
  const t = useT();
  const format = useFormat();
  const duration = (ms: number | null) => (ms === null ? '–' : format.duration(ms));
  const rows: [string, Percentiles][] = [
    [t.latency.endToEnd, latency.endToEnd],
    [t.latency.receiver, latency.receiver],
    [t.latency.own, latency.own],
  ];
  return (
    <Section title={t.latency.title} end={t.latency.note}>
      <div className="card">
        <Chart
          label={t.latency.title}
          kind="latency"
          startsAt={series.startsAt}
          bucketSeconds={series.bucketSeconds}
          series={latencySeries(latency.series)}
        />
        <table className="table plain">
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">{t.latency.part}</span>
              </th>
              <th scope="col" className="num">
                p50
              </th>
              <th scope="col" className="num">
                p95
              </th>
              <th scope="col" className="num">
                p99
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, values], place) => (
              <tr key={name}>
                <th scope="row" className={place === 0 ? 'row-head medium' : 'row-head dim'}>
                  {name}
                </th>
                <td className="num">{duration(values.p50Ms)}</td>
                <td className="num">{duration(values.p95Ms)}</td>
                <td className="num">{duration(values.p99Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
