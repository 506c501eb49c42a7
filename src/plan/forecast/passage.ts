import { crossingProbability, natsForPower } from '../../statistics/first-passage.js';
import type { TestPlan } from '../../statistics/planner.js';

/** The chance that a forecast speaks of. */
export const POWER = 0.8;

/** A log e-value on its way to its bound: a Brownian motion whose variance is twice its drift. Source: method §9.2. */
export interface Passage {
  readonly thresholdNats: number;
  readonly natsPerRequest: number;
  /** Below 1 for a walk that drifts away from its bound and may still be carried there. */
  readonly chanceEver: number;
}

/** That of a planned test; requests of both variants that count for it. */
export function passageOf({ thresholdNats, total }: TestPlan): Passage {
  return { thresholdNats, natsPerRequest: thresholdNats / total.mean, chanceEver: 1 };
}

export function meanRequests({ thresholdNats, natsPerRequest }: Passage): number {
  return thresholdNats / natsPerRequest;
}

/** Requests that are enough with a chance of 80%, of a walk that gets there. */
export function requestsAtPower({ thresholdNats, natsPerRequest }: Passage): number {
  return natsForPower(thresholdNats, POWER) / natsPerRequest;
}

/** The chance that so many requests are enough. */
export function chanceAfter({ thresholdNats, natsPerRequest, chanceEver }: Passage, requests: number): number {
  // A walk that is carried there against its drift takes as long as one with the drift turned round.
  return chanceEver * crossingProbability(requests * natsPerRequest, thresholdNats);
}
