import { lognormal, quantileOf, slower, withParetoTail } from './latency-model.js';
import type { Survival } from './latency-model.js';
import { batchOf } from './settings.js';
import type { LatencySetting } from './simulate-latency.js';

/** Looks of a null run, 20 candidate requests between two. */
export const LATENCY_NULL_LOOKS = 400;
/** Candidate requests after which a search for a slower candidate is given up. */
export const LATENCY_PATIENCE = 8000;

const USUAL = lognormal(400, 0.8);
const WIDE = lognormal(400, 1.2);
/** 4 % of the answers come from a queue, or a retry. */
const HEAVY = withParetoTail(lognormal(400, 0.5), 0.04, 1000, 1.5);

/** A day's load: from half to twice the usual latency, for both variants. */
const drifting = (look: number): number => 2 ** Math.sin((4 * Math.PI * look) / LATENCY_NULL_LOOKS);

/** Candidates that are exactly at the limit: 1.2 times as slow. */
export const LATENCY_NULLS: readonly LatencySetting[] = [
  setting('p95, share 5 %', 0.95, 0.05, USUAL, slower(USUAL, 1.2)),
  setting('p50, share 5 %', 0.5, 0.05, USUAL, slower(USUAL, 1.2)),
  setting('p95 with a heavy tail, share 25 %', 0.95, 0.25, HEAVY, slower(HEAVY, 1.2)),
  { ...setting('p95, load × 0.5 … 2, share 5 %', 0.95, 0.05, USUAL, slower(USUAL, 1.2)), load: drifting },
  setting('p95, candidate of a wider shape, share 5 %', 0.95, 0.05, USUAL, atQuantile(USUAL, WIDE, 0.95)),
  {
    ...setting('p95, wider shape and load, share 5 %', 0.95, 0.05, USUAL, atQuantile(USUAL, WIDE, 0.95)),
    load: drifting,
  },
  setting('p95, candidate of a narrower shape, share 5 %', 0.95, 0.05, WIDE, atQuantile(WIDE, USUAL, 0.95)),
];

export const LATENCY_TRUTHS: readonly LatencySetting[] = [
  setting('p95 × 1.5, share 5 %', 0.95, 0.05, USUAL, slower(USUAL, 1.5)),
  // Found within a hundred requests, so that larger batches would be a large part of the answer.
  setting('p95 × 2 with a heavy tail, share 25 %', 0.95, 0.25, HEAVY, slower(HEAVY, 2), 5),
  setting('p95 × 1.5, share 50 %', 0.95, 0.5, USUAL, slower(USUAL, 1.5)),
  setting('p50 × 1.5, share 5 %', 0.5, 0.05, USUAL, slower(USUAL, 1.5)),
];

/** A candidate of another shape whose quantile is exactly 1.2 times stable's. */
function atQuantile(stable: Survival, shape: Survival, quantile: number): Survival {
  return slower(shape, (1.2 * quantileOf(stable, quantile)) / quantileOf(shape, quantile));
}

function setting(
  name: string,
  quantile: number,
  share: number,
  stable: Survival,
  candidate: Survival,
  candidateTrials = 20,
): LatencySetting {
  return { name, quantile, share, stable, candidate, ...batchOf(candidateTrials / share, share) };
}
