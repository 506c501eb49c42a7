import { document, legend, line, round, text } from './svg.js';

export interface LineSeries {
  readonly name: string;
  readonly colour: string;
  /** Ascending in x; drawn as steps, the last value holding to the end. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly logX: boolean;
  readonly series: readonly LineSeries[];
  /** A dashed line across, with what it means. */
  readonly reference?: { readonly y: number; readonly label: string };
  /** Vertical marks with what begins there. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  readonly showX?: (value: number) => string;
  readonly showY: (value: number) => string;
}

const WIDTH = 720;
const PLOT_HEIGHT = 260;
const LEFT = 62;
const RIGHT = 20;

/** A chart of steps over time or requests. What rises above the last tick leaves the chart at its top. */
export function lineChart(chart: LineChart): string {
  const { xTicks, yTicks, series, showX = String, showY } = chart;
  const key = legend(series, WIDTH);
  const top = key.height + 22;
  const bottom = top + PLOT_HEIGHT;
  const along = chart.logX ? Math.log : (value: number): number => value;
  const first = along(xTicks[0] ?? 1);
  const last = along(xTicks.at(-1) ?? 1);
  const highest = yTicks.at(-1) ?? 1;
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (along(value) - first)) / (last - first);
  const y = (value: number): number => bottom - (PLOT_HEIGHT * Math.min(value, highest)) / highest;

  const parts = [...key.parts];
  for (const tick of yTicks) {
    parts.push(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), tick === 0 ? 'axis' : 'grid'));
    parts.push(text(LEFT - 8, y(tick) + 4, showY(tick), { anchor: 'end', className: 'small' }));
  }
  for (const tick of xTicks) {
    parts.push(line(x(tick), bottom, x(tick), bottom + 4, 'axis'));
    parts.push(text(x(tick), bottom + 18, showX(tick), { anchor: 'middle', className: 'small' }));
  }
  for (const mark of chart.marks ?? []) {
    parts.push(line(x(mark.x), top, x(mark.x), bottom, 'grid'));
    parts.push(text(x(mark.x) + 5, top + 12, mark.label, { className: 'small' }));
  }
  if (chart.reference) {
    const level = y(chart.reference.y);
    parts.push(line(LEFT, level, WIDTH - RIGHT, level, 'bar'));
    parts.push(text(LEFT + 6, level - 5, chart.reference.label, { className: 'small' }));
  }
  for (const one of series) parts.push(steps(one, x, y, xTicks.at(-1) ?? 1));
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, chart.xLabel, { anchor: 'middle' }));
  parts.push(text(16, top - 10, chart.yLabel, { className: 'small' }));
  return document(WIDTH, bottom + 52, chart.title, parts);
}

function steps(
  { colour, points }: LineSeries,
  x: (value: number) => number,
  y: (value: number) => number,
  end: number,
): string {
  const [first] = points;
  if (!first) return '';
  let path = `M${round(x(first[0]))} ${round(y(first[1]))}`;
  for (const [at, value] of points.slice(1)) path += `H${round(x(at))}V${round(y(value))}`;
  return `<path d="${path}H${round(x(end))}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}
