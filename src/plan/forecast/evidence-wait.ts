import { BASELINE_TRIALS } from '../../statistics/assessment/promote-margin.js';
import { rateSource } from '../../statistics/assessment/rate-source.js';
import type { Guardrail, RateGuardrail, StagePlan } from '../types.js';

/** Requests of stable without which a quantile has no threshold (§4.2). */
const THRESHOLD_REQUESTS = 200;

/**
 * Seconds from a stage's beginning until a guardrail's tests begin to gather evidence of a breach, and the interval that
 * has to close: the horizon for ratings, the warm-up and the threshold for values.
 * @param stablePerSecond stable's requests that count for it, a second
 * @param carried such requests of earlier stages
 */
export function waitForEvidence(
  guardrail: Guardrail,
  stage: StagePlan,
  stablePerSecond: number,
  carried: number,
): number {
  const interval = stage.intervalMs / 1000;
  switch (guardrail.kind) {
    case 'rate':
      return interval + waitOfRate(guardrail, stage, stablePerSecond, carried);
    case 'sample-ratio':
      return interval;
    case 'feedback':
      return interval + stage.feedbackHorizonMs / 1000;
    case 'quantile':
    case 'cuts':
      return interval + stage.warmupMs / 1000 + Math.max(0, THRESHOLD_REQUESTS - carried) / stablePerSecond;
  }
}

/**
 * The same for its promote gate: a rate's margin waits for stable's own rate, which is frozen at the end of the interval
 * that brings enough of its requests.
 */
export function waitForGate(guardrail: Guardrail, stage: StagePlan, stablePerSecond: number, carried: number): number {
  const wait = waitForEvidence(guardrail, stage, stablePerSecond, carried);
  const hasBaseline = guardrail.kind === 'rate' || guardrail.kind === 'feedback';
  return hasBaseline && !needsBaseline(guardrail) ? wait + waitForBaseline(stage, stablePerSecond, carried) : wait;
}

function waitOfRate(guardrail: RateGuardrail, stage: StagePlan, stablePerSecond: number, carried: number): number {
  if (guardrail.name === 'response_rate') return stage.feedbackHorizonMs / 1000;
  const warmup = rateSource(guardrail.name)?.usesWarmup === false ? stage.warmupMs / 1000 : 0;
  return warmup + (needsBaseline(guardrail) ? waitForBaseline(stage, stablePerSecond, carried) : 0);
}

/** Its limit is a ratio of rates, so that even the limit waits for stable's own. */
function needsBaseline(guardrail: Guardrail): boolean {
  return guardrail.kind === 'rate' && rateSource(guardrail.name)?.limitOf === 'rates';
}

function waitForBaseline(stage: StagePlan, stablePerSecond: number, carried: number): number {
  const missing = BASELINE_TRIALS - carried;
  if (missing <= 0) return 0;
  const interval = stage.intervalMs / 1000;
  return interval * Math.ceil(missing / (stablePerSecond * interval));
}
