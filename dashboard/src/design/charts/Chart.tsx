// A chart over time. uPlot is loaded when a chart comes into view.
import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { useFormat, useLanguage } from '../../i18n';
import './chart.css';
import { useScheme } from '../theme/theme';
import type { Series } from './series';

interface Props {
  label: string;
  startsAt: string;
  bucketSeconds: number;
  series: Series[];
  /** Bars stand on one another; lines are drawn on a logarithmic scale of ms. */
  kind: 'bars' | 'latency';
  height?: number;
}

export function Chart(props: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const [isSeen, setSeen] = useState(false);
  const { locale } = useLanguage();
  const format = useFormat();
  const scheme = useScheme();
  const { label, startsAt, bucketSeconds, series, kind, height = 172 } = props;

  useEffect(() => {
    const node = holder.current;
    if (!node) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true), {
      rootMargin: '200px',
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes.
  useEffect(() => {
    const node = holder.current;
    if (!isSeen || !node) return;
    let plot: uPlot | undefined;
    let isGone = false;
    const resize = new ResizeObserver(() => plot?.setSize({ width: node.clientWidth, height }));
    void import('./plot').then(({ draw }) => {
      if (isGone) return;
      plot = draw(node, { startsAt, bucketSeconds, series, kind, height, format });
      resize.observe(node);
    });
    return () => {
      isGone = true;
      resize.disconnect();
      plot?.destroy();
    };
  }, [isSeen, startsAt, bucketSeconds, series, kind, height, locale, scheme]);

  return (
    <figure className="chart" aria-label={label}>
      <div ref={holder} className="chart-plot" style={{ height }} />
      <figcaption className="legend">
        {series.map((each) => (
          <span key={each.label}>
            <i
              className={kind === 'bars' ? '' : `line ${each.dash ? (isDotted(each.dash) ? 'dotted' : 'dashed') : ''}`}
              style={{ color: `var(${each.colour})` }}
            />
            {each.label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** Dashes that are no longer than a dot. */
function isDotted([length = 0]: number[]): boolean {
  return length < 3;
}
