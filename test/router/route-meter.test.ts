import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intervalEnd } from '../../src/evidence/record.js';
import type { ErrorClass, EvidenceRecord } from '../../src/evidence/record.js';
import type { GenerationMeter, Trial } from '../../src/router/meter/generation-meter.js';
import { RouteMeter } from '../../src/router/meter/route-meter.js';
import type { Outcome } from '../../src/router/proxy/outcome.js';
import { START_MS } from './helpers/fake-clock.js';
import { canarySplit } from './helpers/router-fixture.js';
import { stageName } from '../../src/plan/ids.js';

const CLASSES = [
  'model',
  'refused',
  'timeout',
  'rate-limit',
  'connect',
  'broken',
] as const satisfies readonly ErrorClass[];

function outcome(change: Partial<Outcome> = {}): Outcome {
  return { end: 'complete', errorClass: null, status: 200, latencyMs: 50, ttftMs: null, facts: null, ...change };
}

function begin(
  meter: GenerationMeter,
  atMs: number,
  change: Partial<Parameters<GenerationMeter['begin']>[0]> = {},
): Trial {
  return meter.begin({
    variant: 'candidate',
    stratum: 'served',
    mark: null,
    sampleHash: null,
    startedWallMs: atMs,
    startedMonotonicMs: atMs - START_MS,
    ...change,
  });
}

function meterOf(
  split = canarySplit(),
  route = new RouteMeter('replica-1', 'process-1'),
): { route: RouteMeter; meter: GenerationMeter } {
  const meter = route.begin(split, START_MS);
  if (meter === null) throw new Error('the split is not measured');
  return { route, meter };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

describe('intervals', () => {
  test('are cut on the Unix clock by the start of a request, wherever it ends', () => {
    const { route, meter } = meterOf();
    const trial = begin(meter, START_MS + 1_900);
    trial.finish(outcome({ latencyMs: 4_000 }));
    const records = route.close(START_MS + 5_900);
    expect(records.map(({ intervalStart, completed }) => [intervalStart - START_MS, completed])).toEqual([[1_000, 1]]);
  });

  test('wait for their requests, and those behind them wait too', () => {
    const { route, meter } = meterOf();
    const slow = begin(meter, START_MS + 500);
    begin(meter, START_MS + 1_500).finish(outcome());
    expect(route.close(START_MS + 4_000)).toEqual([]);
    expect(route.closedThroughMs).toBe(START_MS);
    slow.finish(outcome());
    expect(route.close(START_MS + 4_100).map(({ intervalStart }) => intervalStart - START_MS)).toEqual([0, 1_000]);
    expect(route.closedThroughMs).toBe(START_MS + 4_000);
  });

  test('wait no longer than the requests may take and ten seconds; what comes then is late', () => {
    const { route, meter } = meterOf();
    const lost = begin(meter, START_MS + 500);
    begin(meter, START_MS + 600).finish(outcome());
    expect(route.close(START_MS + 1_000 + 15_000 - 1)).toEqual([]);
    const [record] = route.close(START_MS + 1_000 + 15_000);
    expect(record).toMatchObject({ started: 2, completed: 1, late: 1, error: { trials: 1, events: 0 } });
    lost.finish(outcome({ end: 'error', errorClass: 'model' }));
    expect(route.close(START_MS + 20_000)).toEqual([]);
  });

  test('end without a record when nothing started, and are closed all the same', () => {
    const { route } = meterOf();
    expect(route.close(START_MS + 3_500)).toEqual([]);
    expect(route.closedThroughMs).toBe(START_MS + 3_000);
  });

  test('are cut at a change of the generation: each side is filed under its own', () => {
    const { route, meter } = meterOf();
    const before = begin(meter, START_MS + 300);
    const { meter: next } = meterOf(canarySplit({ generation: 2, stage: stageName('canary-50') }), route);
    begin(next, START_MS + 700).finish(outcome());
    before.finish(outcome());
    const records = route.close(START_MS + 1_000);
    expect(
      records.map(({ generation, stage, intervalStart }) => [generation, stage, intervalStart - START_MS]),
    ).toEqual([
      [1, 'canary-25', 0],
      [2, 'canary-50', 0],
    ]);
  });

  test('of another length after the change never take the frontier back', () => {
    const { route, meter } = meterOf();
    begin(meter, START_MS + 25_500).finish(outcome());
    route.close(START_MS + 26_200);
    expect(route.closedThroughMs).toBe(START_MS + 26_000);
    const longer = canarySplit({ generation: 2, metering: { ...canarySplit().metering, intervalMs: 10_000 } });
    begin(meterOf(longer, route).meter, START_MS + 26_300).finish(outcome());
    route.close(START_MS + 26_400);
    expect(route.closedThroughMs).toBe(START_MS + 26_000);
    expect(route.close(START_MS + 30_000)).toHaveLength(1);
    expect(route.closedThroughMs).toBe(START_MS + 30_000);
  });

  test('without a warm-up are none, not even the one that the generation cuts', () => {
    const route = new RouteMeter('replica-1', 'process-1');
    const meter = route.begin(canarySplit(), START_MS + 400);
    begin(meter ?? meterOf().meter, START_MS + 500).finish(outcome());
    expect(route.close(START_MS + 1_000).map(({ warmup }) => warmup)).toEqual([false]);
  });

  test('that begin within the warm-up say so', () => {
    const { route, meter } = meterOf(canarySplit({ metering: { ...canarySplit().metering, warmupMs: 2_000 } }));
    for (const at of [500, 1_500, 2_500]) begin(meter, START_MS + at).finish(outcome());
    expect(route.close(START_MS + 3_000).map(({ warmup }) => warmup)).toEqual([true, true, false]);
  });
});

describe('records', () => {
  const anyOutcome: fc.Arbitrary<Outcome> = fc
    .record({
      end: fc.constantFrom('complete', 'error', 'aborted'),
      errorClass: fc.constantFrom(...CLASSES),
      latencyMs: fc.double({ min: 0, max: 600_000, noNaN: true }),
      ttftMs: fc.option(fc.double({ min: 0, max: 5_000, noNaN: true })),
      refused: fc.option(fc.boolean()),
      cached: fc.option(fc.nat(100)),
    })
    .map(({ end, errorClass, latencyMs, ttftMs, refused, cached }) => ({
      end,
      errorClass: end === 'error' ? errorClass : null,
      status: 200,
      latencyMs,
      ttftMs,
      facts:
        end === 'aborted'
          ? null
          : {
              complete: end === 'complete',
              refused,
              issuedIds: [],
              usage: { promptTokens: 100, cachedTokens: cached, completionTokens: 7 },
            },
    }));

  const request = fc.record({
    afterMs: fc.nat(700),
    lastsMs: fc.option(fc.nat(20_000)),
    variant: fc.constantFrom('stable', 'candidate'),
    stratum: fc.constantFrom('served', 'paired'),
    unit: fc.option(fc.nat(9)),
    outcome: anyOutcome,
    nextGeneration: fc.constantFrom(false, false, false, true),
  });

  test('add up, come in order, and never come behind the frontier', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 60 }), (requests) => {
        const route = new RouteMeter('replica-1', 'process-1');
        let generation = 1;
        let { meter } = meterOf(canarySplit(), route);
        const pending: { at: number; finish: () => void }[] = [];
        const records: EvidenceRecord[] = [];
        let now = START_MS;
        let frontier = 0;
        const pass = (toMs: number): void => {
          for (const { at, finish } of pending
            .filter((one) => one.at > now && one.at <= toMs)
            .toSorted((a, b) => a.at - b.at)) {
            now = at;
            finish();
          }
          now = toMs;
          const closed = route.close(now);
          for (const record of closed) expect(intervalEnd(record)).toBeGreaterThan(frontier);
          records.push(...closed);
          expect(route.closedThroughMs).toBeGreaterThanOrEqual(frontier);
          frontier = route.closedThroughMs;
        };
        for (const { afterMs, lastsMs, variant, stratum, unit, outcome: end, nextGeneration } of requests) {
          pass(now + afterMs);
          if (nextGeneration) {
            generation += 1;
            ({ meter } = meterOf(canarySplit({ generation }), route));
          }
          const mark = unit === null ? null : { bucket: unit, low: unit, high: unit };
          const trial = begin(meter, now, { variant, stratum, mark });
          if (lastsMs !== null) pending.push({ at: now + lastsMs + 1, finish: () => trial.finish(end) });
        }
        pass(now + 100_000);
        expect(frontier).toBe(Math.floor(now / 1_000) * 1_000);
        expect(records.reduce((total, { started }) => total + started, 0)).toBe(requests.length);
        const never = requests.length - pending.length;
        expect(records.reduce((total, { late }) => total + late, 0)).toBeGreaterThanOrEqual(never);
        for (const record of records) {
          const { started, completed, aborted, late, error, errorsByClass, histograms, buckets } = record;
          expect(started).toBe(completed + aborted + late);
          expect(error.trials).toBe(completed + aborted);
          expect(error.events).toBe(sum(errorsByClass));
          expect(sum(histograms['latency_p50']?.counts ?? {})).toBe(completed + aborted);
          expect(histograms['latency_p95']).toEqual(histograms['latency_p50']);
          expect(sum(buckets['error_rate']?.trials ?? {})).toBe(error.trials);
          expect(sum(buckets['error_rate']?.events ?? {})).toBe(error.events);
          expect(sum(buckets['abort_rate']?.trials ?? {})).toBe(error.trials);
          expect(sum(buckets['abort_rate']?.events ?? {})).toBe(aborted);
          expect(sum(buckets['latency_p95']?.trials ?? {})).toBe(completed + aborted);
          expect(record.cacheMiss?.trials ?? 0).toBeLessThanOrEqual(record.tokens.responses);
        }
        const keys = records.map(({ generation: of, intervalStart, stratum, variant }) =>
          [of, intervalStart, stratum, variant].join(),
        );
        expect(new Set(keys).size).toBe(keys.length);
        const order = records.map((record) => [intervalEnd(record), record.generation] as const);
        expect(order).toEqual(order.toSorted(([end, of], [otherEnd, other]) => end - otherEnd || of - other));
      }),
    );
  });

  test('count a cache miss only where the unit has completed a request on this variant in this generation', () => {
    const { route, meter } = meterOf();
    const facts = (cachedTokens: number | null) => ({
      complete: true,
      refused: false,
      issuedIds: [],
      usage: { promptTokens: 100, cachedTokens, completionTokens: 7 },
    });
    const mark = { bucket: 3, low: 12_345, high: 67_890 };
    const other = { bucket: 4, low: 99, high: 98 };
    const ask = (cached: number | null, change: Parameters<typeof begin>[2]) =>
      begin(meter, START_MS, change).finish(outcome({ facts: facts(cached) }));
    ask(0, { mark });
    ask(0, { mark: other });
    ask(0, { mark, variant: 'stable' });
    ask(0, { mark: null });
    ask(49, { mark });
    ask(50, { mark });
    ask(null, { mark });
    const records = route.close(START_MS + 1_000);
    expect(records.map(({ variant, cacheMiss }) => [variant, cacheMiss])).toEqual([
      ['stable', undefined],
      ['candidate', { trials: 2, events: 1 }],
    ]);
    const next = meterOf(canarySplit({ generation: 2 }), route).meter;
    begin(next, START_MS + 1_000, { mark }).finish(outcome({ facts: facts(0) }));
    expect(route.close(START_MS + 2_000)[0]).not.toHaveProperty('cacheMiss');
  });

  test('an interval that lost more than 5% of its mirrored halves is incomplete on both sides', () => {
    const shadow = canarySplit({ mirror: { variant: 'candidate', share: 1 } });
    for (const [lost, incomplete] of [
      [1, false],
      [2, true],
    ] as const) {
      const { route, meter } = meterOf(shadow);
      for (let pair = 0; pair < 20; pair += 1) {
        begin(meter, START_MS, { variant: 'stable', stratum: 'paired' }).finish(outcome());
        const half = begin(meter, START_MS, { variant: 'candidate', stratum: 'paired' });
        if (pair < lost) half.drop('closing');
        else half.finish(outcome());
      }
      const records = route.close(START_MS + 1_000);
      expect(records.map((record) => [record.variant, record.started, record.incomplete])).toEqual([
        ['stable', 20, incomplete],
        ['candidate', 20 - lost, incomplete],
      ]);
    }
  });
});

describe('the last 60 s', () => {
  test('hold starts by when they began, failures without rate limits and aborts, and what is overdue', () => {
    const { meter } = meterOf();
    const read = (atMs: number) => meter.recentStarts(atMs, 5_000).candidate;
    const error = (errorClass: ErrorClass) => outcome({ end: 'error', errorClass });
    begin(meter, START_MS).finish(error('model'));
    begin(meter, START_MS).finish(error('rate-limit'));
    begin(meter, START_MS).finish(outcome({ end: 'aborted' }));
    begin(meter, START_MS).finish(outcome());
    const hanging = begin(meter, START_MS + 900);
    expect(read(5_900)).toEqual({ started: 5, failed: 1 });
    expect(read(6_000)).toEqual({ started: 5, failed: 2 });
    hanging.finish(outcome({ end: 'complete' }));
    expect(read(6_100)).toEqual({ started: 5, failed: 1 });
    begin(meter, START_MS + 60_000).finish(outcome());
    expect(read(60_000)).toEqual({ started: 6, failed: 1 });
    expect(read(61_000)).toEqual({ started: 1, failed: 0 });
  });
});
