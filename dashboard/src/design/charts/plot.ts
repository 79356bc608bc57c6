// Draws with uPlot: stacked bars, or lines on a logarithmic scale. Loaded by Chart alone.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Format } from '../../i18n/format';
import type { Series } from './series';

export interface PlotInput {
  startsAt: string;
  bucketSeconds: number;
  series: Series[];
  kind: 'bars' | 'latency';
  height: number;
  format: Format;
}

const rightPadding = 16;
/** Of every chart, so that those beside one another have the same times below them. */
const labelsWidth = 56;
/** Of a glyph of a label of an axis, wide ones among them; in px. */
const halfGlyph = 4;

/** Each series with those below it added, so that bars drawn from the last to the first stand on one another. */
export function stacked(series: (number | null)[][]): number[][] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, place) => {
      sums[place] = (sums[place] ?? 0) + (value ?? 0);
      return sums[place];
    }),
  );
}

export function draw(node: HTMLElement, input: PlotInput): uPlot {
  const style = getComputedStyle(node);
  const token = (name: string) => resolved(node, style.getPropertyValue(name));
  const start = new Date(input.startsAt).getTime() / 1000;
  const length = input.series[0]?.values.length ?? 0;
  const times = Array.from({ length }, (_, place) => start + place * input.bucketSeconds);
  const isBars = input.kind === 'bars';
  const order = isBars ? [...input.series].reverse() : input.series;
  const values = isBars
    ? stacked(input.series.map((each) => each.values)).reverse()
    : input.series.map((each) => each.values);
  const spanSeconds = length * input.bucketSeconds;
  const time = (second: number) =>
    spanSeconds > 172_800 ? input.format.day(second * 1000) : input.format.clock(second * 1000);
  const day = 86_400;
  const dayTicks = spanSeconds > 2 * day ? { incrs: [day, 2 * day, 3 * day, 7 * day] } : {};
  const axis = {
    stroke: token('--text-3'),
    font: `11px ${style.fontFamily}`,
    ticks: { show: false },
    grid: { stroke: token('--line'), width: 1 },
  };
  const options: uPlot.Options = {
    width: node.clientWidth,
    height: input.height,
    legend: { show: false },
    cursor: { points: { show: false }, y: false, drag: { x: false, y: false } },
    padding: [8, rightPadding, 0, 0],
    scales: {
      x: { time: true },
      y: isBars
        ? { range: (_plot, _min, max) => [0, Math.max(1, max)] }
        : { distr: 3, range: (_plot, min, max) => decades(min, max) },
    },
    axes: [
      {
        ...axis,
        ...dayTicks,
        grid: { show: false },
        size: 24,
        space: 72,
        values: (plot, ticks) => ticks.map((tick) => fitting(plot, tick, time(tick))),
      },
      {
        ...axis,
        size: labelsWidth,
        space: 36,
        ...(isBars ? {} : { splits: (_plot: uPlot, _axis: number, min: number, max: number) => powersOfTen(min, max) }),
        values: (_plot, ticks) => ticks.map((tick) => tickLabel(tick, input)),
      },
    ],
    series: [{}, ...order.map((each) => seriesOptions(each, token(each.colour), isBars))],
    hooks: { setCursor: [(plot) => describe(plot, input, node)] },
  };
  return new uPlot(options, [times, ...values] as uPlot.AlignedData, node);
}

function seriesOptions(series: Series, colour: string, isBars: boolean): uPlot.Series {
  if (!isBars) {
    const alone = isolated(series.values);
    const points = { show: alone.length > 0, size: 5, fill: colour, filter: () => alone };
    return { stroke: colour, width: series.width ?? 1, dash: series.dash, points, spanGaps: false };
  }
  return {
    stroke: colour,
    fill: colour,
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars?.({ size: [0.8, 24], gap: 1 }),
  };
}

/** Where there is a value and none beside it: a line would not show it. */
export function isolated(values: (number | null)[]): number[] {
  const isThere = (place: number) => (values[place] ?? null) !== null;
  return values.flatMap((_, place) => (isThere(place) && !isThere(place - 1) && !isThere(place + 1) ? [place] : []));
}

/** No label where it would be cut off at the right edge. */
function fitting(plot: uPlot, tick: number, label: string): string {
  const halfWidth = label.length * halfGlyph;
  return plot.valToPos(tick, 'x') + halfWidth > plot.over.clientWidth + rightPadding ? '' : label;
}

function tickLabel(tick: number | null, input: PlotInput): string {
  if (tick === null) return '';
  if (input.kind === 'bars') return Number.isInteger(tick) ? input.format.compact(tick) : '';
  return input.format.duration(tick);
}

/** The powers of ten from `low` to `high`: where a logarithmic axis has its lines. */
export function powersOfTen(low: number, high: number): number[] {
  const powers: number[] = [];
  for (let power = low; power <= high * 1.001; power *= 10) powers.push(power);
  return powers;
}

/** Whole decades around what there is, two at least. */
export function decades(min: number | null, max: number | null): [number, number] {
  const low = 10 ** Math.floor(Math.log10(Math.max(1, min ?? 1)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(10, max ?? 1000)));
  return [low, Math.max(high, low * 100)];
}

function describe(plot: uPlot, input: PlotInput, node: HTMLElement): void {
  const place = plot.cursor.idx;
  if (place === null || place === undefined) {
    node.removeAttribute('title');
    return;
  }
  const at = new Date(input.startsAt).getTime() + place * input.bucketSeconds * 1000;
  const values = input.series.map((each) => {
    const value = each.values[place];
    const text =
      value === null || value === undefined
        ? '–'
        : input.kind === 'bars'
          ? input.format.number(value)
          : input.format.duration(value);
    return `${each.label} ${text}`;
  });
  node.title = [input.format.full(at), ...values].join('\n');
}

/** Canvas knows no light-dark(): the browser works the colour out. */
function resolved(node: HTMLElement, colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  node.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
