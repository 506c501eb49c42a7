import { describe, expect, it } from 'vitest';
import type { AbReading } from '../../../src/evidence/look.js';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Guardrail, Plan, StagePlan } from '../../../src/plan/types.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { AB, abPlan, ALL, isDifference, limit, margins } from './ab-plan.js';
import { errorRate, latency } from './plan-fixture.js';
import { intervalOf } from './records.js';
import { EvidenceSimulator } from './simulate-evidence.js';
import type { Behaviour } from './simulate-evidence.js';

const ALIKE: Behaviour = { errorRate: 0.05, medianMs: 400, logSd: 0.5 };

interface Run {
  readonly finding: AbReading['finding'];
  readonly requests: number;
}

/** Runs until the stage is decided, looked at each second, or until `seconds` are over. */
function run(plan: Plan, seed: number, candidate: Behaviour, stable: Behaviour, seconds: number): Run {
  const simulator = new EvidenceSimulator(plan, seed);
  const assessment = createAssessment(plan, simulator.seeds(stable, 2000));
  let requests = 0;
  for (const records of simulator.stage('ab', seconds, { requestsPerSecond: 40, stable, candidate })) {
    assessment.absorb(records);
    requests += 40;
    const finding = assessment.finding(AB, ALL) ?? 'undecided';
    if (finding !== 'undecided') return { finding, requests };
  }
  return { finding: 'undecided', requests };
}

function share(runs: number, finding: (call: AbReading['finding']) => boolean, one: (seed: number) => Run): number {
  return Array.from({ length: runs }, (_, seed) => one(seed)).filter((each) => finding(each.finding)).length;
}

describe('an ab stage, looked at each second', { timeout: 120_000 }, () => {
  it.each<[string, Guardrail]>([
    ['error_rate', errorRate({ promote: null })],
    ['latency_p50', latency(0.5, { promote: null })],
    ['latency_p95', latency(0.95, { promote: null })],
  ])('calls a winner on %s without any difference in at most 5%', (_, guardrail) => {
    const plan = abPlan(guardrail);
    const runs = 200;
    expect(share(runs, isDifference, (seed) => run(plan, seed, ALIKE, ALIKE, 80))).toBeLessThanOrEqual(limit(runs));
  });

  it.each<[string, Guardrail, Behaviour]>([
    ['errors, at the margin above', errorRate({ promote: margins(1.5) }), { ...ALIKE, errorRate: 0.075 }],
    ['errors, at the margin below', errorRate({ promote: margins(1.5) }), { ...ALIKE, errorRate: 0.0342 }],
    ['latency, 1.2 times', latency(0.5), { ...ALIKE, medianMs: 480 }],
    ['latency, 1/1.2 times', latency(0.5), { ...ALIKE, medianMs: 400 / 1.2 }],
  ])('says "no difference" of %s in at most 5%', (_, guardrail, candidate) => {
    const plan = abPlan(guardrail);
    const runs = 150;
    const found = share(
      runs,
      (call) => call === 'no-difference',
      (seed) => run(plan, seed, candidate, ALIKE, 150),
    );
    expect(found).toBeLessThanOrEqual(limit(runs));
  });

  it.each<[string, Guardrail, Behaviour, AbReading['finding']]>([
    ['fewer errors', errorRate(), { ...ALIKE, errorRate: 0.015 }, 'candidate-better'],
    ['more errors', errorRate(), { ...ALIKE, errorRate: 0.12 }, 'stable-better'],
    ['a faster candidate', latency(0.5), { ...ALIKE, medianMs: 280 }, 'candidate-better'],
    ['a slower tail', latency(0.95), { ...ALIKE, tail: 2 }, 'stable-better'],
  ])('calls %s', (_, guardrail, candidate, call) => {
    const plan = abPlan(guardrail);
    expect(
      share(
        20,
        (found) => found === call,
        (seed) => run(plan, seed, candidate, ALIKE, 400),
      ),
    ).toBe(20);
  });

  it.each<[string, Guardrail]>([
    ['error_rate', errorRate({ promote: margins(1.5) })],
    ['latency_p50', latency(0.5)],
  ])('says "no difference" on %s of two that are alike', (_, guardrail) => {
    const plan = abPlan(guardrail);
    const found = share(
      20,
      (call) => call === 'no-difference',
      (seed) => run(plan, seed, ALIKE, ALIKE, 500),
    );
    expect(found).toBeGreaterThanOrEqual(16);
  });
});

/** Seconds of a hundred requests each variant, with so many errors. */
function seconds(
  count: number,
  stable: number,
  candidate: number,
  more: Partial<EvidenceRecord> = {},
): EvidenceRecord[] {
  return Array.from({ length: count }, (_, second) =>
    intervalOf({ stage: 'ab', second }, { trials: 100, errors: stable }, { trials: 100, errors: candidate }, more),
  ).flat();
}

function assess(plan: Plan, records: readonly EvidenceRecord[]): Assessment {
  const assessment = createAssessment(plan, {});
  assessment.absorb(records);
  return assessment;
}

describe('the reading of an ab stage', () => {
  const plan = abPlan(errorRate());

  it('opens on a difference, whichever way, and names the numbers', () => {
    const better = assess(plan, seconds(30, 10, 3)).read(AB, ALL);
    expect(better.ab?.finding).toBe('candidate-better');
    expect(better.promote).toEqual({ open: true, waiting: [] });
    expect(better.ab?.why).toMatch(
      /^the candidate is better on error_rate: errors 3% against 10%.*; e-value for a difference [^;]* of 20 needed \(better .*, worse .*\); for none beyond the margin \(odds ratio 0\.7\d to 1\.\d\d\) .* of 20$/,
    );
    const worse = assess(plan, seconds(30, 3, 10)).read(AB, ALL);
    expect(worse.ab?.finding).toBe('stable-better');
    expect(worse.promote.open).toBe(true);
    expect(worse.ab?.logE.worse).toBeCloseTo(better.ab?.logE.better ?? Number.NaN, 9);
  });

  it('waits for its primary, and says so', () => {
    const { ab, promote } = assess(plan, seconds(3, 5, 5)).read(AB, ALL);
    expect(promote.open).toBe(false);
    expect(promote.waiting).toEqual([{ guardrail: 'error_rate', why: ab?.why }]);
    expect(ab?.why).toMatch(
      /^undecided on error_rate: .*the margin waits for 1,000 requests of stable \(300 so far\)$/,
    );
    expect(ab?.logE.inside).toBeNull();
  });

  it('waits for the requests that the plan asks for', () => {
    const [stage] = plan.stages;
    if (!stage) throw new Error('no stage');
    const patient = { ...plan, stages: [{ ...stage, minRequests: 5000 }] };
    expect(assess(patient, seconds(30, 10, 3)).read(AB, ALL).promote).toEqual({
      open: false,
      waiting: [{ guardrail: 'min_requests', why: '3,000 of 5,000 requests of the candidate' }],
    });
  });

  it('does not wait for the promote gates of its guardrails', () => {
    const withLatency = abPlan(errorRate(), []);
    const both: Plan = {
      ...withLatency,
      guardrails: [errorRate({ weight: 0.5 }), latency(0.95, { weight: 0.5 })],
    };
    const reading = assess(both, seconds(30, 10, 3)).read(AB, ALL);
    expect(reading.guardrails.latency_p95?.verdict).toBe('undecided');
    expect(reading.promote.open).toBe(true);
  });

  it('starts afresh from a generation', () => {
    const assessment = assess(plan, seconds(30, 10, 3));
    expect(assessment.read(AB, { promoteFromGeneration: 2 }).ab).toMatchObject({
      finding: 'undecided',
      logE: { worse: 0, better: 0 },
    });
    expect(assessment.finding(AB, { promoteFromGeneration: 2 })).toBe('undecided');
  });

  it('has no margin where the guardrail has none', () => {
    const unlimited = abPlan(errorRate({ promote: null }));
    const { ab } = assess(unlimited, seconds(30, 5, 5)).read(AB, ALL);
    expect(ab?.logE.inside).toBeNull();
    expect(ab?.why).not.toContain('margin');
  });

  it('believes users who resemble themselves less', () => {
    const many = seconds(30, 8, 4);
    // Every error is of one of a few users.
    const few = many.map((record) => {
      const trials = Object.fromEntries(Array.from({ length: 50 }, (_, bucket) => [bucket, 2]));
      const events = record.variant === 'stable' ? { 0: 2, 1: 2, 2: 2, 3: 2 } : { 4: 2, 5: 2 };
      return { ...record, buckets: { error_rate: { trials, events } } };
    });
    const discounted = assess(plan, few).read(AB, ALL).ab;
    const naive = assess(plan, many).read(AB, ALL).ab;
    expect(naive?.finding).toBe('candidate-better');
    expect(discounted?.finding).toBe('undecided');
    expect(discounted?.why).toContain('users resemble themselves');
  });

  it('is there in stages of kind ab alone', () => {
    const [stage] = plan.stages;
    if (!stage) throw new Error('no stage');
    const canaryStage: StagePlan = { ...stage, name: stageName('canary-50'), kind: 'canary', mixtureShare: 0.5 };
    const mixed: Plan = { ...plan, stages: [canaryStage, { ...stage, mixtureShare: 0.5 }] };
    const canary = seconds(30, 10, 3).map((record) => ({ ...record, stage: stageName('canary-50') }));
    const assessment = assess(mixed, canary);
    expect(assessment.read(stageName('canary-50'), ALL).ab).toBeNull();
    expect(assessment.finding(stageName('canary-50'), ALL)).toBeNull();
    expect(assessment.read(AB, ALL).ab).toMatchObject({
      finding: 'undecided',
      logE: { worse: 0, better: 0, inside: 0 },
    });
  });
});

describe('the same evidence', () => {
  it.each<[string, Guardrail]>([
    ['error_rate', errorRate()],
    ['latency_p95', latency(0.95)],
  ])('gives the same digits on %s over replicas, in any order, and from a snapshot', (_, guardrail) => {
    const plan = abPlan(guardrail);
    const traffic = { requestsPerSecond: 60, stable: ALIKE, candidate: { ...ALIKE, medianMs: 440 }, replicas: 3 };
    const intervals = [...new EvidenceSimulator(plan, 3).stage('ab', 60, traffic)];
    const whole = createAssessment(plan, {});
    const shuffled = createAssessment(plan, {});
    let restored = createAssessment(plan, {});
    for (const records of intervals) {
      whole.absorb(records);
      shuffled.absorb(records.toReversed());
      restored.absorb(records);
      restored = restoreAssessment(plan, JSON.parse(JSON.stringify(restored.snapshot())));
    }
    const reading = whole.read(AB, ALL);
    expect(reading.ab?.logE.better).not.toBe(0);
    expect(shuffled.read(AB, ALL)).toEqual(reading);
    expect(restored.read(AB, ALL)).toEqual(reading);
    expect(restored.snapshot()).toEqual(whole.snapshot());
  });

  it('is refused without its part of the snapshot', () => {
    const plan = abPlan(errorRate());
    const snapshot = createAssessment(plan, {}).snapshot();
    expect(() => restoreAssessment(plan, { ...snapshot, ab: null })).toThrow('no assessment snapshot');
  });
});
