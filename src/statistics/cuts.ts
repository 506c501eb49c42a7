import { requireCount, requireSameLength } from './checks.js';
import { StatisticsError } from './errors.js';
import { logWeightedAverage } from './log-sum-exp.js';
import type { Table } from './table.js';

/**
 * The tables of ordered scores, cut at each place: for j = 1 … k − 1 the events are the ratings among the j worst.
 *
 * Both lists hold counts per score from worst to best, of equal length ≥ 2. Throws on bad counts. Source: method §5.1.
 */
export function scoreCutTables(candidate: readonly number[], stable: readonly number[]): readonly Table[] {
  requireSameLength(candidate.length, stable.length, 'scores of the variants');
  if (candidate.length < 2) throw new StatisticsError('length-mismatch', 'scores need at least two levels');
  const candidateSums = cumulative(candidate);
  const stableSums = cumulative(stable);
  const candidateTrials = candidateSums.at(-1) ?? 0;
  const stableTrials = stableSums.at(-1) ?? 0;
  return candidateSums.slice(0, -1).map((candidateEvents, j) => ({
    candidateEvents,
    candidateTrials,
    stableEvents: stableSums[j] ?? 0,
    stableTrials,
  }));
}

/**
 * ln of the plain average of the cuts' e-values: one e-process for "nowhere worse in distribution". Used for scores
 * (one cut between each two scores) and for tokens (one at each of four quantiles). Nats; throws on NaN and on an
 * empty list. Source: method §5.
 */
export function averageLogE(logEValues: readonly number[]): number {
  if (logEValues.length === 0) throw new StatisticsError('length-mismatch', 'there is nothing to average');
  return logWeightedAverage(
    logEValues,
    logEValues.map(() => 1 / logEValues.length),
  );
}

function cumulative(counts: readonly number[]): readonly number[] {
  let sum = 0;
  return counts.map((count) => {
    requireCount(count);
    sum += count;
    return sum;
  });
}
