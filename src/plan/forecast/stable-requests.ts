import { BASELINE_TRIALS } from '../../statistics/assessment/promote-margin.js';
import type { Plan, StagePlan } from '../types.js';
import { stageTraffic } from './stage-traffic.js';

/** Stable's requests that count for a guardrail, as far as its baseline and threshold go. */
export interface StableRequests {
  /** Of the stages before. */
  readonly carried: number;
  /** The stage in which its baseline is frozen, and how many come in a second there. */
  readonly freezing: { readonly stage: StagePlan; readonly stablePerSecond: number };
}

/** @param share of the requests that count for the guardrail */
export function stableRequests(
  plan: Plan,
  stageIndex: number,
  requestsPerSecond: number,
  share: number,
): StableRequests {
  let carried = 0;
  let freezing: StableRequests['freezing'] | null = null;
  for (const [index, stage] of plan.stages.slice(0, stageIndex + 1).entries()) {
    const stablePerSecond = share * (stageTraffic(stage, requestsPerSecond)?.stablePerSecond ?? requestsPerSecond);
    if (freezing === null || carried < BASELINE_TRIALS) freezing = { stage, stablePerSecond };
    if (index < stageIndex) carried += (stablePerSecond * stage.durationMs) / 1000;
  }
  if (freezing === null) throw new RangeError(`the plan has no stage of index ${stageIndex}`);
  return { carried, freezing };
}
