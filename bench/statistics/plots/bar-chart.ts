import { document, legend, line, rectangle, text } from './svg.js';

export interface BarChart {
  readonly title: string;
  readonly xLabel: string;
  readonly ticks: readonly number[];
  readonly series: readonly { readonly name: string; readonly colour: string }[];
  /** One value for each series; NaN = none. */
  readonly groups: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly show: (value: number) => string;
  /** A dashed line with what it means. */
  readonly reference?: { readonly x: number; readonly label: string };
}

const WIDTH = 720;
const LEFT = 190;
const RIGHT = 70;
const BAR_HEIGHT = 11;
const GROUP_GAP = 12;

/** Horizontal bars in groups. A bar beyond the last tick is cut there; its number says how long it is. */
export function barChart({ title, xLabel, ticks, series, groups, show, reference }: BarChart): string {
  const key = legend(series, WIDTH);
  const top = key.height + 14;
  const groupHeight = series.length * BAR_HEIGHT + GROUP_GAP;
  const bottom = top + groups.length * groupHeight;
  const longest = ticks.at(-1) ?? 1;
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * Math.min(value, longest)) / longest;

  const parts = [...key.parts];
  for (const tick of ticks) {
    parts.push(line(x(tick), top, x(tick), bottom, tick === 0 ? 'axis' : 'grid'));
    parts.push(text(x(tick), bottom + 16, show(tick), { anchor: 'middle', className: 'small' }));
  }
  for (const [index, { name, values }] of groups.entries()) {
    const groupTop = top + index * groupHeight + GROUP_GAP / 2;
    const middle = groupTop + (series.length * BAR_HEIGHT) / 2 + 4;
    parts.push(text(LEFT - 10, middle, name, { anchor: 'end', className: 'small' }));
    for (const [place, { colour }] of series.entries()) {
      const value = values[place] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      const barTop = groupTop + place * BAR_HEIGHT;
      parts.push(rectangle(LEFT, barTop, x(value) - LEFT, BAR_HEIGHT - 2, colour));
      const beyond = value > longest ? ' …' : '';
      parts.push(text(x(value) + 4, barTop + 8.5, `${show(value)}${beyond}`, { className: 'small' }));
    }
  }
  if (reference) {
    parts.push(line(x(reference.x), top - 4, x(reference.x), bottom, 'bar'));
    parts.push(text(x(reference.x), top - 8, reference.label, { anchor: 'middle', className: 'small' }));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, bottom + 36, xLabel, { anchor: 'middle' }));
  return document(WIDTH, bottom + 50, title, parts);
}
