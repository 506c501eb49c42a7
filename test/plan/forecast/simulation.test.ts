import { describe, expect, it } from 'vitest';
import type { Baselines } from '../../../src/plan/forecast/baseline.js';
import { breachPassage } from '../../../src/plan/forecast/breach-passage.js';
import { forecastPlan } from '../../../src/plan/forecast/forecast-plan.js';
import { meanRequests, requestsAtPower } from '../../../src/plan/forecast/passage.js';
import { simulatePlan } from '../../../src/plan/forecast/simulation/simulate-plan.js';
import { simulateRollout } from '../../../src/plan/forecast/simulation/simulate-rollout.js';
import type { Guardrail, GuardrailName, Plan } from '../../../src/plan/types.js';
import { stageTraffic } from '../../../src/plan/forecast/stage-traffic.js';
import { ALL_OFF, planWith } from '../context.js';

const BASELINES: Baselines = {
  error_rate: { kind: 'rate', rate: 0.01, share: 1, origin: 'given' },
  feedback: { kind: 'rate', rate: 0.15, share: 0.2, origin: 'given' },
};
/** Slices so fine that a crossing is seen when it happens. */
const FINE = 1.03;

/** One guardrail alone, in one canary stage. */
function plan(name: GuardrailName, share: string, duration: string): Plan {
  const frozen = planWith({
    stages: [{ kind: 'canary', share, for: duration, interval: '2s', warmup: '0s' }],
    feedback: { horizon: '2s' },
  });
  return {
    ...frozen,
    guardrails: frozen.guardrails
      .filter((one) => one.name === name)
      .map((one) => ({ ...one, action: 'rollback', weight: 1 })),
  };
}

/** The first requests of stable are no evidence: they give values their threshold, and a ratio of rates its baseline. */
function unusedOfStable({ kind, name }: Guardrail): number {
  if (kind === 'quantile' || kind === 'cuts') return 200;
  return name === 'cache_hit_rate' ? 1000 : 0;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((left, right) => left - right)[Math.ceil(share * values.length) - 1] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Requests that count until 80 drawn rollouts see a regression, and those that the forecast plans for it. */
function seenAndPlanned(
  name: GuardrailName,
  share: string,
  ratio: number,
  duration: string,
): { readonly seen: readonly number[]; readonly planned: number; readonly plannedAtPower: number } {
  const one = plan(name, share, duration);
  const [stage] = one.stages;
  const [guardrail] = one.guardrails;
  if (!stage || !guardrail) throw new Error('the plan is empty');
  const input = { requestsPerSecond: 20, baselines: BASELINES };
  const regression = { guardrail: name, ratio, fromStage: 0 };
  const compared = Array.from({ length: 80 }, (_, run) => {
    const { ended } = simulateRollout(one, { ...input, regression }, 11, run, FINE);
    return ended?.compared ?? Infinity;
  });
  const baseline = forecastPlan(one, input).baselines[name] ?? null;
  const candidateShare = stageTraffic(stage, 20)?.candidateShare ?? 0;
  const passage = breachPassage({ plan: one, stage, guardrail, baseline, candidateShare }, ratio);
  if (!passage) throw new Error('never seen');
  const counted = compared.map((requests) => requests * (baseline?.share ?? 1));
  const unused = unusedOfStable(guardrail) / (1 - candidateShare);
  return { seen: counted, planned: meanRequests(passage) + unused, plannedAtPower: requestsAtPower(passage) + unused };
}

describe('the planner against simulations of the real assessment', { timeout: 120_000 }, () => {
  it.each([
    ['error_rate', '5%', 2, '12h'],
    ['error_rate', '50%', 1.5, '6h'],
    ['latency_p95', '5%', 1.5, '2h'],
    ['latency_p50', '25%', 1.5, '1h'],
    ['ttft_p95', '25%', 1.5, '2h'],
    ['cache_hit_rate', '50%', 1.25, '2h'],
    ['feedback', '25%', 2, '6h'],
    ['refusal_rate', '25%', 2, '6h'],
    ['response_rate', '50%', 1.25, '6h'],
  ] as const)('sees %s at %s ×%d after the planned requests, within 15%', (name, share, ratio, duration) => {
    const { seen, planned, plannedAtPower } = seenAndPlanned(name, share, ratio, duration);
    expect(Math.abs(mean(seen) / planned - 1)).toBeLessThan(0.15);
    expect(Math.abs(quantile(seen, 0.8) / plannedAtPower - 1)).toBeLessThan(0.2);
  });

  // The average of four cuts is better than its parts by more than the forecast knows.
  it.each([
    ['25%', 1.7, '2h'],
    ['25%', 2, '1h'],
  ] as const)(
    'sees tokens at %s ×%d after no more than the planned responses, and at least 70%% of these (%s)',
    (share, ratio, duration) => {
      const { seen, planned, plannedAtPower } = seenAndPlanned('tokens_per_response', share, ratio, duration);
      for (const part of [mean(seen) / planned, quantile(seen, 0.8) / plannedAtPower]) {
        expect(part).toBeLessThan(1);
        expect(part).toBeGreaterThan(0.7);
      }
    },
  );

  it.each([
    ['error_rate', '5%', '6h'],
    ['error_rate', '50%', '6h'],
    ['latency_p95', '25%', '2h'],
  ] as const)(
    'has opened the gate of %s at %s by the forecast time in about 80%% of rollouts',
    (name, share, duration) => {
      const one = plan(name, share, duration);
      const input = { requestsPerSecond: 20, baselines: BASELINES };
      const forecast = forecastPlan(one, input).stages[0]?.gates.find(({ gate }) => gate === name)?.seconds ?? 0;
      const open = Array.from({ length: 80 }, (_, run) => {
        const { promotable } = simulateRollout(one, { ...input, regression: null }, 12, run, FINE);
        return (promotable[0] ?? Infinity) <= forecast ? 1 : 0;
      });
      expect(mean(open)).toBeGreaterThan(0.7);
      expect(mean(open)).toBeLessThan(0.9);
    },
  );
});

describe('simulatePlan', { timeout: 60_000 }, () => {
  const ramp = planWith({
    guardrails: { ...ALL_OFF, error_rate: {}, latency_p50: {}, latency_p95: {} },
    stages: [
      { kind: 'shadow', share: '100%', for: '10m', interval: '5s', warmup: '10s' },
      { kind: 'canary', share: '50%', for: '10m', interval: '5s', warmup: '10s' },
    ],
  });
  const input = { requestsPerSecond: 30, baselines: BASELINES };

  it('draws evidence of every guardrail of the table, and none of it holds a candidate that changed nothing', () => {
    const all = planWith({
      feedback: { horizon: '10s' },
      stages: [{ kind: 'canary', share: '50%', for: '10m', interval: '5s', warmup: '10s' }],
    });
    const { unchanged, worse, notSimulated } = simulatePlan(all, input, { rollouts: 10, seed: 3 });
    expect(notSimulated).toEqual([]);
    expect(unchanged.rolledBack + unchanged.held).toBeLessThanOrEqual(1);
    expect(worse.map(({ guardrail }) => guardrail)).toEqual(
      all.guardrails.filter(({ action }) => action === 'rollback').map(({ name }) => name),
    );
    const found = Object.fromEntries(worse.map(({ guardrail, rolledBack }) => [guardrail, rolledBack]));
    expect(found).toMatchObject({ error_rate: 10, ttft_p95: 10, cache_hit_rate: 10, feedback: 10 });
  });

  it('draws the same rollouts from the same seed', () => {
    const once = simulatePlan(ramp, input, { rollouts: 3, seed: 9 });
    expect(simulatePlan(ramp, input, { rollouts: 3, seed: 9 })).toEqual(once);
  });

  it('leaves a candidate that changed nothing alone, and ends one that is twice as bad in shadow', () => {
    const progress: number[] = [];
    const simulation = simulatePlan(ramp, input, {
      rollouts: 20,
      seed: 1,
      onProgress: (done, all) => progress.push(done / all),
    });
    expect(progress.at(-1)).toBe(1);
    expect(simulation.unchanged.rolledBack).toBeLessThanOrEqual(2);
    expect(simulation.unchanged.falseRollbackAtMost).toBeGreaterThan(simulation.unchanged.rolledBack / 20);
    expect(simulation.unchanged.stages.map(({ stage }) => stage)).toEqual(['shadow', 'canary-50']);
    expect(simulation.worse.map(({ guardrail, rolledBack }) => [guardrail, rolledBack])).toEqual([
      ['error_rate', 20],
      ['latency_p50', 20],
      ['latency_p95', 20],
    ]);
    expect(simulation.worse.flatMap(({ byStage }) => byStage).filter(({ stage }) => stage === 'shadow')).toHaveLength(
      3,
    );
    expect(simulation.notSimulated).toEqual([]);
  });
});
