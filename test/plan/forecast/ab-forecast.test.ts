import { describe, expect, it } from 'vitest';
import type { Baselines } from '../../../src/plan/forecast/baseline.js';
import { forecastPlan, undecidable } from '../../../src/plan/forecast/forecast-plan.js';
import type { AbForecast } from '../../../src/plan/forecast/forecast.js';
import { simulateRollout } from '../../../src/plan/forecast/simulation/simulate-rollout.js';
import type { Plan } from '../../../src/plan/types.js';
import { ALL_OFF, planWith } from '../context.js';

const BASELINES: Baselines = { error_rate: { kind: 'rate', rate: 0.05, share: 1, origin: 'given' } };
const INPUT = { requestsPerSecond: 20, baselines: BASELINES };
const FINE = 1.03;

function abPlan(guardrails: object, primary: string, duration = '12h'): Plan {
  return planWith({
    stages: [{ kind: 'ab', for: duration, interval: '2s', warmup: '0s' }],
    guardrails: { ...ALL_OFF, ...guardrails },
    primary,
  });
}

function abOf(plan: Plan): AbForecast {
  const ab = forecastPlan(plan, INPUT).stages[0]?.ab;
  if (!ab) throw new Error('there is no forecast of an ab stage');
  return ab;
}

/** Share of drawn rollouts (30 of values, which take longest)  in which the stage has found something by then. */
function foundBy(plan: Plan, seconds: number, ratio: number | null, name: 'error_rate' | 'latency_p50'): number {
  const regression = ratio === null ? null : { guardrail: name, ratio, fromStage: 0 };
  const found = Array.from({ length: name === 'error_rate' ? 80 : 30 }, (_, run) => {
    const { promotable } = simulateRollout(plan, { ...INPUT, regression }, 21, run, FINE);
    return (promotable[0] ?? Infinity) <= seconds ? 1 : 0;
  });
  return found.reduce<number>((sum, one) => sum + one, 0) / found.length;
}

describe('the forecast of an ab stage', { timeout: 120_000 }, () => {
  const errors = abPlan({ error_rate: {} }, 'error_rate');
  const latency = abPlan({ error_rate: {}, latency_p50: {} }, 'latency_p50');

  it('takes longer for a smaller difference, and says what comes too late', () => {
    const { apart } = abOf(errors);
    const seconds = apart.map((one) => one.seconds ?? Infinity);
    expect(seconds).toEqual(seconds.toSorted((left, right) => right - left));
    const short = abOf(abPlan({ error_rate: {} }, 'error_rate', '2m'));
    expect(short.apart.map(({ inTime }) => inTime)).toEqual([false, false, true, true]);
  });

  it.each([
    { name: 'error_rate', plan: errors },
    { name: 'latency_p50', plan: latency },
  ] as const)(
    '$name: "no difference" is found by then in about 80% of drawn rollouts or more, seldom much sooner',
    ({ name, plan }) => {
      const seconds = abOf(plan).noDifference.seconds ?? 0;
      expect(foundBy(plan, seconds, null, name)).toBeGreaterThan(0.7);
      expect(foundBy(plan, seconds / 2, null, name)).toBeLessThan(0.6);
    },
  );

  it('a difference is found by then in about 80% of drawn rollouts', () => {
    // It must not be rolled back before it is called.
    const plan = { ...errors, guardrails: errors.guardrails.map((one) => ({ ...one, action: 'flag' as const })) };
    const seconds = abOf(plan).apart.find(({ ratio }) => ratio === 1.5)?.seconds ?? 0;
    expect(foundBy(plan, seconds, 1.5, 'error_rate')).toBeGreaterThan(0.65);
    expect(foundBy(plan, seconds, 1.5, 'error_rate')).toBeLessThan(0.97);
  });

  it('without a margin only a difference or the deadline ends it', () => {
    const plan = abPlan({ error_rate: { promote: 'off' } }, 'error_rate');
    expect(abOf(plan).noDifference).toEqual({ requests: null, seconds: null, inTime: false });
    expect(forecastPlan(plan, INPUT).stages[0]?.gates.map(({ gate }) => gate)).toEqual(['min_requests']);
  });

  it('tells which stage cannot decide at the traffic', () => {
    const [entry] = undecidable(forecastPlan(errors, { ...INPUT, requestsPerSecond: 0.05 }));
    expect(entry?.gates.map(({ gate }) => gate)).toContain('error_rate');
  });
});
