import { describe, expect, it } from 'vitest';

import { barChart } from '../../../bench/statistics/plots/bar-chart.js';
import { lineChart } from '../../../bench/statistics/plots/line-chart.js';
import { percent, rate } from '../../../bench/statistics/report/format.js';
import { evidencePage } from '../../../bench/statistics/report/markdown.js';
import { atLeast, atMost } from '../../../bench/statistics/report/section.js';

describe('goals', () => {
  it('are missed beyond their bar, and by what is not a number', () => {
    expect(atMost('c', 0.05, 0.05, percent)).toEqual({ claim: 'c', reached: '5 %', bar: '≤ 5 %', passed: true });
    expect(atMost('c', 0.051, 0.05, percent).passed).toBe(false);
    expect(atMost('c', Number.NaN, 0.05, percent).passed).toBe(false);
    expect(atLeast('c', 0.98, 0.99, percent).passed).toBe(false);
    expect(atLeast('c', Number.NaN, 0.99, percent).passed).toBe(false);
  });
});

describe('evidencePage', () => {
  const facts = { command: 'c', date: 'd', machine: 'm', effort: 'short' };

  it('writes tables, plots and the goals with what was missed', () => {
    const page = evidencePage(facts, [
      {
        title: 'Part',
        blocks: [
          { kind: 'table', header: ['a', 'b'], rows: [['1', '2']] },
          { kind: 'plot', file: 'p.svg', alt: 'alt', svg: '<svg/>' },
        ],
        goals: [atMost('good', 1, 2, String), atMost('bad', 3, 2, String)],
      },
    ]);
    expect(page).toContain('| goals | 1 reached, 1 missed |');
    expect(page).toContain('## Part\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n![alt](p.svg)');
    expect(page).toContain('| bad | 3 | ≤ 2 | **missed** |');
  });
});

describe('numbers for people', () => {
  it.each([
    [0, '0 %'],
    [0.0027, '0.27 %'],
    [0.0333, '3.3 %'],
    [0.414, '41.4 %'],
    [1, '100 %'],
  ])('%d is %s', (share, shown) => {
    expect(percent(share)).toBe(shown);
  });

  it('carry the upper limit of a rate', () => {
    expect(rate(33, 1000)).toBe('3.3 % (≤ 4.4 %)');
    expect(rate(10, 10)).toBe('100 %');
  });
});

describe('plots', () => {
  it('draw a step for each point and cut what leaves the chart', () => {
    const svg = lineChart({
      title: 'a < b & c',
      xLabel: 'x',
      yLabel: 'y',
      xTicks: [0, 10],
      yTicks: [0, 1],
      logX: false,
      series: [
        {
          name: 's',
          colour: '#123456',
          points: [
            [0, 0],
            [5, 0.5],
            [8, 7],
          ],
        },
      ],
      showY: String,
    });
    expect(svg).toContain('<title>a &lt; b &amp; c</title>');
    const [, path = ''] = /<path d="([^"]+)" fill="none" stroke="#123456"/.exec(svg) ?? [];
    const heights = [...path.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y));
    // Half way up, then at the top and not above it: the plot is 260 high.
    expect(heights[0]).toBeCloseTo((heights[1] ?? 0) + 130, 5);
  });

  it('give each bar its number, beyond the end too', () => {
    const svg = barChart({
      title: 't',
      xLabel: 'x',
      ticks: [0, 10],
      series: [{ name: 's', colour: '#123456' }],
      groups: [
        { name: 'inside', values: [5] },
        { name: 'beyond', values: [50] },
        { name: 'none', values: [Number.NaN] },
      ],
      show: String,
    });
    const widths = [...svg.matchAll(/width="([\d.]+)" height="9" fill="#123456"/g)].map(([, width]) => Number(width));
    expect(widths).toHaveLength(2);
    expect(widths[1]).toBeCloseTo(2 * (widths[0] ?? 0), 5);
    expect(svg).toContain('>50 …<');
  });
});
