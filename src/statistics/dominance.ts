import { requireCount } from './checks.js';

/** Fewer effective clusters than this, or one bucket with more than this share, and few users speak for all. */
const MINIMUM_EFFECTIVE_CLUSTERS = 16;
const LARGEST_BUCKET_SHARE = 0.2;

/**
 * (Σ n_b)² / Σ n_b²: how many equally busy buckets would be as concentrated as these. 0 without requests.
 * Throws on bad counts. Source: method §8.3.
 */
export function effectiveClusters(trialsByBucket: readonly number[]): number {
  let total = 0;
  let squares = 0;
  for (const trials of trialsByBucket) {
    requireCount(trials);
    total += trials;
    squares += trials * trials;
  }
  return total === 0 ? 0 : (total * total) / squares;
}

/**
 * Whether few units dominate a variant: fewer than 16 effective clusters, or one bucket above 20 % of its requests.
 * False without requests: no traffic is another finding. Throws on bad counts. Source: method §8.3.
 */
export function fewUnitsDominate(trialsByBucket: readonly number[]): boolean {
  const clusters = effectiveClusters(trialsByBucket);
  if (clusters === 0) return false;
  const total = trialsByBucket.reduce((sum, trials) => sum + trials, 0);
  return clusters < MINIMUM_EFFECTIVE_CLUSTERS || Math.max(...trialsByBucket) > LARGEST_BUCKET_SHARE * total;
}
