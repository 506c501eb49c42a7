import { requireCount } from './checks.js';
import { forEachBucket } from './histogram.js';
import type { Histogram } from './histogram.js';
import type { Table } from './table.js';

/**
 * Turns "the candidate's p-quantile is above r times stable's" into a 2x2 table for the kernel.
 *
 * candidateEvents = #{candidate in buckets > thresholdIndex + shift}, stableEvents = #{stable in buckets >
 * thresholdIndex}: under the null "r · (a stable latency) is stochastically at least the candidate's, at the threshold"
 * the candidate's events are not the likelier ones. `thresholdIndex` must be predictable: from stable's intervals
 * strictly before this one (threshold-tracker.ts); `shift` is `shiftForRatio` of r. A timed-out request counts at the
 * timeout: above the threshold it is one exceedance, whatever its true length. Throws on bad counts and indexes.
 * Source: method §4.3.
 */
export function exceedanceTable(candidate: Histogram, stable: Histogram, thresholdIndex: number, shift: number): Table {
  requireCount(thresholdIndex);
  requireCount(shift);
  const [candidateEvents, candidateTrials] = countAbove(candidate, thresholdIndex + shift);
  const [stableEvents, stableTrials] = countAbove(stable, thresholdIndex);
  return { candidateEvents, candidateTrials, stableEvents, stableTrials };
}

function countAbove(histogram: Histogram, index: number): readonly [above: number, total: number] {
  let above = 0;
  let total = 0;
  forEachBucket(histogram, (bucket, count) => {
    total += count;
    if (bucket > index) above += count;
  });
  return [above, total];
}
