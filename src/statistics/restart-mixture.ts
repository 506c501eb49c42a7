import { logWeightedAverage } from './log-sum-exp.js';

/**
 * ln Σ_s π_s·E^(s): one metric's evidence over the whole rollout, where E^(s) is the e-process started afresh at stage s
 * and 1 (log 0) before it.
 *
 * A candidate that was better at 5 % has dug a hole in one continuing process; the restart at the next stage has not.
 * It costs ln(1/π_s) and needs no share of α for stages or looks: at every stopping time the product over stages is an
 * e-process, hence each E^(s), hence their mixture. Nats in and out; one share a stage of the plan, Σ π = 1, stages to
 * come included with log 0. Throws on NaN, unequal lengths and shares that do not sum to 1. Source: method §10.3.
 */
export function restartMixture(logEByStart: readonly number[], shares: readonly number[]): number {
  return logWeightedAverage(logEByStart, shares);
}
