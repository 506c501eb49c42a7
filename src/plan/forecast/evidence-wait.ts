import { BASELINE_TRIALS } from '../../statistics/assessment/promote-margin.js';
import type { Guardrail, StagePlan } from '../types.js';

/** Requests of stable without which a quantile has no threshold (§4.2). */
const THRESHOLD_REQUESTS = 200;

/**
 * Seconds from a stage's beginning until a guardrail's tests begin to gather evidence of a breach, and the interval that
 * has to close: the warm-up and the threshold for values, none for rates.
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
  const missing = BASELINE_TRIALS - carried;
  if (!hasBaseline || missing <= 0) return wait;
  const interval = stage.intervalMs / 1000;
  return wait + interval * Math.ceil(missing / (stablePerSecond * interval));
}
