import { describe, expect, it } from 'vitest';
import { digits, measurementTables, targetTable } from '../../../bench/router/report/tables.js';
import { READINGS, Results } from '../../../bench/router/results.js';
import type { Sample } from '../../../bench/router/results.js';
import type { MeasurementName } from '../../../bench/router/settings.js';
import { line, targetLines } from '../../../bench/router/targets.js';

interface Change {
  readonly measurement?: MeasurementName;
  readonly failed?: number;
  readonly otherStatus?: number;
  readonly processorUs?: number | null;
}

/** A second in which `requests` were answered. */
function sample(target: string, round: number, requests: number, change: Change = {}): Sample {
  const { measurement = 'saturated', failed = 0, otherStatus = 0, processorUs = 1_000 } = change;
  const quantiles = { p50: 100, p99: 200 };
  return {
    measurement,
    target,
    round,
    load: { requests, failed, otherStatus, events: 0, seconds: 1, latencyUs: quantiles, ttftUs: null },
    processorUs,
    candidateShare: 0.05,
  };
}

describe('Results', () => {
  it('pairs by round, whatever the order of the samples', () => {
    const results = new Results([sample('b', 1, 10), sample('a', 0, 50), sample('a', 1, 40), sample('b', 0, 100)], 2);
    expect(results.ratio('saturated', ['a', 'b'], READINGS.requestsPerSecond)).toEqual([0.5, 4]);
  });

  it.each([{ failed: 1 }, { otherStatus: 1 }])('voids a round with %o and shows it', (change) => {
    const results = new Results(
      [sample('a', 0, 50, change), sample('a', 1, 40), sample('b', 0, 10), sample('b', 1, 10)],
      2,
    );
    expect(results.voids.map(({ round }) => round)).toEqual([0]);
    expect(results.ratio('saturated', ['a', 'b'], READINGS.requestsPerSecond)).toEqual([4]);
    expect(measurementTables(results, ['a', 'b'])[0]?.rows.map((row) => row.at(-1))).toEqual(['1/2', '2/2']);
  });

  it('divides processor time by the requests that it paid for', () => {
    const results = new Results([sample('a', 0, 50), sample('direct', 0, 50, { processorUs: null })], 1);
    expect(results.spread('saturated', 'a', READINGS.processorUs)?.median).toBe(20);
    expect(results.spread('saturated', 'direct', READINGS.processorUs)).toBeNull();
  });
});

describe('targets', () => {
  it('are decided by the median and say in how many rounds they were met', () => {
    const bar = { bar: 2, sense: 'at least', unit: '×' } as const;
    expect(line('c', [1, 2, 3], bar)).toMatchObject({ verdict: 'met', roundsMet: 2 });
    expect(line('c', [1, 1.9, 3], bar)).toMatchObject({ verdict: 'not met', roundsMet: 1 });
    expect(line('c', [1, 2, 3], { ...bar, sense: 'at most' })).toMatchObject({ verdict: 'met', roundsMet: 2 });
    expect(line('c', [], bar)).toMatchObject({ verdict: 'not measured', figure: null });
  });

  it('of peers that are not there are not measured', () => {
    const lines = targetLines(new Results([sample('sluice', 0, 95), sample('envoy', 0, 100)], 1), []);
    const verdicts = new Map(lines.map(({ claim, verdict }) => [claim, verdict]));
    expect(verdicts.get("requests per second ÷ Envoy's")).toBe('met');
    expect(verdicts.get("requests per second ÷ nginx's")).toBe('not measured');
    expect(targetTable(lines).rows.find(([claim]) => claim === "requests per second ÷ Envoy's")).toEqual([
      "requests per second ÷ Envoy's",
      '≥ 0.95 ×',
      '0.95 ×',
      '–',
      '1/1',
      'met',
    ]);
  });

  it('hold memory to mebibytes and kibibytes', () => {
    const memory = [{ target: 'sluice', resident: 100 * 2 ** 20, perIdleStream: 41 * 1024 }];
    const lines = targetLines(new Results([], 1), memory).filter(({ figure }) => figure !== null);
    expect(lines.map(({ figure, verdict }) => [figure?.median, verdict])).toEqual([
      [100, 'met'],
      [41, 'not met'],
    ]);
  });
});

describe('digits', () => {
  it('shows three that matter', () => {
    expect([31_340.4, 92.44, 0.294].map(digits)).toEqual(['31,340', '92.4', '0.29']);
  });
});
