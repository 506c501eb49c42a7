import { BASELINE_TRIALS, promoteMargins } from '../../statistics/assessment/promote-margin.js';
import { planTest } from '../../statistics/planner.js';
import type { TestPlan, TestScenario } from '../../statistics/planner.js';
import type { FeedbackGuardrail, Guardrail, Plan, QuantileGuardrail, RateGuardrail, StagePlan } from '../types.js';
import type { Baseline } from './baseline.js';
import { VALUES_BREACH_LIMIT, VALUES_PROMOTE_LIMIT, valueRates } from './comparisons.js';
import { waitForEvidence, waitForGate } from './evidence-wait.js';
import type { AbForecast } from './forecast.js';
import { frozenBaselines } from './frozen-baselines.js';
import { leastWhere } from './least-where.js';
import { POWER, chanceAfter, passageOf } from './passage.js';
import type { StageTraffic } from './stage-traffic.js';

/** How many times apart the two are taken to be. */
const RATIOS = [1.25, 1.5, 2, 3] as const;

/** Requests that no service answers. */
const LONGEST = 1e15;

export interface AbQuestion {
  readonly plan: Plan;
  readonly stage: StagePlan;
  readonly primary: Guardrail;
  readonly baseline: Baseline | null;
  readonly traffic: StageTraffic;
  /** Stable's requests of earlier stages that count for it. */
  readonly carried: number;
}

/** Requests that count for the primary, of both variants; a test that never ends is null. */
interface AbTests {
  readonly inside: number | null;
  readonly apart: readonly (number | null)[];
}

/**
 * When an ab stage ends, with a chance of 80%: on "no difference" when there is none, on a winner when the candidate is
 * ×1.25, ×1.5, ×2 or ×3 worse. Null for a primary that cannot be forecast. Source: method §2.3, §9.2.
 */
export function forecastAb({ plan, stage, primary, baseline, traffic, carried }: AbQuestion): AbForecast | null {
  if (baseline === null) return null;
  const tests = testsOf(plan, stage, primary, baseline, traffic.candidateShare);
  if (tests === null) return null;
  const stablePerSecond = traffic.stablePerSecond * baseline.share;
  const sight = (wait: number, trials: number | null) => {
    if (trials === null) return { requests: null, seconds: null, inTime: false };
    const seconds = wait + trials / (traffic.comparedPerSecond * baseline.share);
    const requests = Math.ceil(seconds * traffic.comparedPerSecond);
    return { requests, seconds, inTime: seconds * 1000 <= stage.durationMs };
  };
  const waitApart = waitForEvidence(primary, stage, stablePerSecond, carried);
  return {
    primary: primary.name,
    noDifference: sight(waitForGate(primary, stage, stablePerSecond, carried), tests.inside),
    apart: RATIOS.map((ratio, index) => ({ ratio, ...sight(waitApart, tests.apart[index] ?? null) })),
  };
}

function testsOf(plan: Plan, stage: StagePlan, primary: Guardrail, baseline: Baseline, share: number): AbTests | null {
  const common = { share, alpha: plan.falsePromote };
  switch (primary.kind) {
    case 'rate':
    case 'feedback':
      return baseline.kind === 'rate' ? rateTests(stage, primary, baseline.rate, common) : null;
    case 'quantile':
      return baseline.kind === 'values' ? quantileTests(stage, primary, baseline.spread, common) : null;
    case 'cuts':
    case 'sample-ratio':
      return null;
  }
}

type Common = Pick<TestScenario, 'share' | 'alpha'>;

function rateTests(
  stage: StagePlan,
  { promote, typicalEffect }: Pick<RateGuardrail | FeedbackGuardrail, 'promote' | 'typicalEffect'>,
  rate: number,
  common: Common,
): AbTests {
  const apart = RATIOS.map((ratio) =>
    ratio * rate >= 1
      ? null
      : requestsOf(difference(common, { stableRate: rate, candidateRate: ratio * rate, limit: 0, typicalEffect })),
  );
  if (promote === null) return { inside: null, apart };
  const ways = frozenBaselines(rate, BASELINE_TRIALS).map((frozen) => {
    const { limit } = promoteMargins(frozen.rate, promote).ladder[stage.ladder].test;
    const equal = { ...common, stableRate: rate, candidateRate: rate, typicalEffect: limit };
    return {
      chance: frozen.chance,
      notWorse: planTest({ ...equal, side: 'less', limit }),
      notBetter: planTest({ ...equal, side: 'greater', limit: -limit }),
    };
  });
  const chanceOf = (requests: number): number =>
    ways.reduce((sum, way) => sum + way.chance * both(way.notWorse, way.notBetter, requests), 0);
  return { inside: leastWhere((requests) => chanceOf(requests) >= POWER, 1, LONGEST), apart };
}

function quantileTests(
  stage: StagePlan,
  { promote, quantile, histogram, typicalEffect }: QuantileGuardrail,
  spread: Parameters<typeof valueRates>[0],
  common: Common,
): AbTests {
  const limit = VALUES_BREACH_LIMIT;
  const apart = RATIOS.map((ratio) =>
    requestsOf(difference(common, { ...valueRates(spread, quantile, 0, ratio), limit, typicalEffect })),
  );
  if (promote === null) return { inside: null, apart };
  const shift = promote.shifts[stage.ladder] * Math.log(histogram.gamma);
  const equal = { ...common, typicalEffect };
  const up = valueRates(spread, quantile, shift, 1);
  const down = valueRates(spread, quantile, -shift, 1);
  const notWorse = planTest({ ...equal, ...up, side: 'less', limit: VALUES_PROMOTE_LIMIT });
  const notBetter = planTest({ ...equal, ...down, side: 'greater', limit });
  return { inside: leastWhere((requests) => both(notWorse, notBetter, requests) >= POWER, 1, LONGEST), apart };
}

/** Two-sided: half of the weight is on the other side. */
function difference(
  { share, alpha }: Common,
  test: Pick<TestScenario, 'stableRate' | 'candidateRate' | 'limit' | 'typicalEffect'>,
): TestPlan | null {
  return planTest({ ...test, share, alpha: alpha / 2, side: 'greater' });
}

function requestsOf(test: TestPlan | null): number | null {
  return test === null ? null : test.total.atPower;
}

/** The least chance that both sides of the margin are excluded after so many requests, however they hang together. */
function both(left: TestPlan | null, right: TestPlan | null, requests: number): number {
  if (left === null || right === null) return 0;
  return Math.max(0, chanceAfter(passageOf(left), requests) + chanceAfter(passageOf(right), requests) - 1);
}
