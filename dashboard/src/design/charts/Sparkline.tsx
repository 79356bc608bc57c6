// A chart without axes, for a glance. A gap is a gap.
import type { StateName } from '../values/states';
import './figure.css';

const width = 100;
const height = 28;
const inset = 1;

export interface SparkPath {
  line: string;
  area: string;
}

/** The paths of a series in a box of 100 by 28; a value between gaps is as wide as its bucket. With `top` given, charts beside one another share one scale. */
export function sparkPath(values: (number | null)[], top?: number): SparkPath {
  const most = top ?? Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const floor = height - inset;
  let line = '';
  let area = '';
  let start: number | null = null;
  values.forEach((value, place) => {
    const x = round(place * step);
    if (value !== null) {
      const y = round(floor - (Math.min(value, most) / most) * (height - 2 * inset));
      const isAlone = (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null;
      if (isAlone) {
        const [from, to] = [round(Math.max(0, x - step / 2)), round(Math.min(width, x + step / 2))];
        line += `M${from} ${y}L${to} ${y}`;
        area += `M${from} ${floor}L${from} ${y}L${to} ${y}L${to} ${floor}Z`;
        return;
      }
      line += `${start === null ? 'M' : 'L'}${x} ${y}`;
      area += start === null ? `M${x} ${floor}L${x} ${y}` : `L${x} ${y}`;
      start ??= x;
    }
    if (start !== null && (value === null || place === values.length - 1)) {
      const end = value === null ? round((place - 1) * step) : x;
      area += `L${end} ${floor}Z`;
      start = null;
    }
  });
  return { line, area };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function Sparkline({
  values,
  state,
  top,
  label,
}: {
  values: (number | null)[];
  state: StateName;
  top?: number;
  label?: string;
}) {
  const { line, area } = sparkPath(values, top);
  return (
    <svg
      className={`sparkline spark-${state}`}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      <path className="area" d={area} />
      <path className="line" d={line} />
    </svg>
  );
}
