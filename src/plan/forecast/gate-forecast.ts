import { BASELINE_TRIALS, promoteMargins } from '../../statistics/assessment/promote-margin.js';
import { planTest } from '../../statistics/planner.js';
import type { Guardrail, Plan, QuantileGuardrail, RateGuardrail, StagePlan } from '../types.js';
import { absoluteMarginPassage } from './absolute-margin-passage.js';
import type { Baseline, RateBaseline, ValuesBaseline } from './baseline.js';
import { VALUES_PROMOTE_LIMIT, valueRates } from './comparisons.js';
import { waitForGate } from './evidence-wait.js';
import { frozenBaselines } from './frozen-baselines.js';
import { leastWhere } from './least-where.js';
import { POWER, chanceAfter, passageOf, requestsAtPower } from './passage.js';
import type { Passage } from './passage.js';
import type { StageTraffic } from './stage-traffic.js';

export interface GateQuestion {
  readonly plan: Plan;
  readonly stage: StagePlan;
  readonly guardrail: Guardrail;
  readonly baseline: Baseline | null;
  readonly traffic: StageTraffic;
  /** Stable's requests of earlier stages that count for it. */
  readonly carried: number;
  /** Stable's requests that count for it, a second, in the stage in which its baseline is frozen. */
  readonly freezing: { readonly stage: StagePlan; readonly stablePerSecond: number };
}

/**
 * Seconds from the stage's beginning until a guardrail's promote gate is open with a chance of 80%, for a candidate
 * exactly as good as stable; null = never. Source: method §9.2, §9.3.
 */
export function forecastGate(question: GateQuestion): number | null {
  const { stage, guardrail, baseline, traffic, carried } = question;
  const gathering = gatheringOf(question);
  if (gathering === null || baseline === null) return null;
  return waitForGate(guardrail, stage, traffic.stablePerSecond * baseline.share, carried) + gathering;
}

/** Seconds of evidence once its gathering has begun. */
function gatheringOf({ plan, stage, guardrail, baseline, traffic, freezing }: GateQuestion): number | null {
  switch (guardrail.kind) {
    case 'rate':
    case 'feedback':
      return baseline?.kind === 'rate'
        ? rateGathering(plan, stage, guardrail, baseline, traffic, trialsAtFreeze(freezing))
        : null;
    case 'quantile':
      return baseline?.kind === 'values' ? quantileGathering(plan, stage, guardrail, baseline, traffic) : null;
    case 'cuts':
    case 'sample-ratio':
      return null;
  }
}

function quantileGathering(
  plan: Plan,
  stage: StagePlan,
  { promote, quantile, typicalEffect, histogram }: QuantileGuardrail,
  { spread, share }: ValuesBaseline,
  traffic: StageTraffic,
): number | null {
  if (promote === null) return null;
  const test = planTest({
    ...valueRates(spread, quantile, promote.shifts[stage.ladder] * Math.log(histogram.gamma), 1),
    side: 'less',
    limit: VALUES_PROMOTE_LIMIT,
    typicalEffect,
    alpha: plan.falsePromote,
    share: traffic.candidateShare,
  });
  return test === null ? null : requestsAtPower(passageOf(test)) / (traffic.comparedPerSecond * share);
}

/** The two ways in which a rate's gate opens, under one frozen baseline; null = this way never. */
interface RateWays {
  readonly compared: Passage | null;
  readonly alone: Passage | null;
}

/** Over the baselines that may be frozen and the better way: the time after which the gate is open with a chance of 80%. */
function rateGathering(
  plan: Plan,
  stage: StagePlan,
  guardrail: Pick<RateGuardrail, 'promote'>,
  baseline: RateBaseline,
  traffic: StageTraffic,
  trials: number,
): number | null {
  const ways = frozenBaselines(baseline.rate, trials).map((frozen) => ({
    ...rateWays(plan, stage, guardrail, baseline.rate, frozen.rate, traffic),
    weight: frozen.chance,
  }));
  const chance = (seconds: number): number => {
    const requests = seconds * baseline.share;
    // Both look at the same requests of the candidate: that one is late says that the other is.
    const open = ({ compared, alone }: RateWays): number =>
      Math.max(
        compared === null ? 0 : chanceAfter(compared, requests * traffic.comparedPerSecond),
        alone === null ? 0 : chanceAfter(alone, requests * traffic.candidatePerSecond),
      );
    return ways.reduce((sum, way) => sum + way.weight * open(way), 0);
  };
  return leastWhere((seconds) => chance(seconds) >= POWER, 1e-3, LONGEST_SECONDS);
}

/** A thousand years are never. */
const LONGEST_SECONDS = 1000 * 365 * 86_400;

/** Stable's requests at the end of the interval in which there are enough of them. */
function trialsAtFreeze({ stage, stablePerSecond }: GateQuestion['freezing']): number {
  const perInterval = (stablePerSecond * stage.intervalMs) / 1000;
  return perInterval * Math.ceil(BASELINE_TRIALS / perInterval);
}

function rateWays(
  plan: Plan,
  stage: StagePlan,
  { promote }: Pick<RateGuardrail, 'promote'>,
  rate: number,
  frozen: number,
  traffic: StageTraffic,
): RateWays {
  if (promote === null) return { compared: null, alone: null };
  // The gate is the mean of both e-values: one alone has to reach twice the bound.
  const alpha = plan.falsePromote / 2;
  const { ladder, absoluteRate } = promoteMargins(frozen, promote);
  const { limit } = ladder[stage.ladder].test;
  const test = planTest({
    side: 'less',
    stableRate: rate,
    candidateRate: rate,
    limit,
    typicalEffect: limit,
    alpha,
    share: traffic.candidateShare,
  });
  return {
    compared: test === null ? null : passageOf(test),
    alone: absoluteRate === null ? null : absoluteMarginPassage(rate, absoluteRate, alpha),
  };
}
