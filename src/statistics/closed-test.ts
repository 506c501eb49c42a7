import { requireNumber, requireOpenRate, requirePositive, requireSameLength } from './checks.js';

/** Which metrics of a family are to blame, as indexes into it. */
export interface Culprits {
  /** Each of these is worse than its limit, with the family's error rate for all of them together; ascending. */
  readonly named: readonly number[];
  /** The metric with the largest a_m·E_m, to be called "leading" where none is named; −1 in an empty family. */
  readonly leading: number;
}

/**
 * Names the culprits of a family by the closed test: m is named if for every set S with m in it the weighted mean of E
 * over S is at least 1/α.
 *
 * Σ_S a_i·(E_i − 1/α) is smallest when S holds, beside m, exactly the metrics below 1/α, so one sum for each m decides
 * over all 2^(k−1) sets. Nats; weights need not sum to 1. Throws on NaN, unequal lengths and weights that are not
 * positive. Source: Vovk & Wang 2021; method §10.2.
 */
export function closedTest(logEValues: readonly number[], weights: readonly number[], alpha: number): Culprits {
  requireSameLength(logEValues.length, weights.length, 'e-values and weights');
  requireOpenRate(alpha, 'alpha');
  const metrics = logEValues.map((logE, index) => {
    requireNumber(logE, 'log e-value');
    const weight = weights[index] ?? Number.NaN;
    requirePositive(weight, 'weights');
    // α·E − 1, times the weight: what this metric adds to, or takes from, every set that holds it.
    return { index, surplus: weight * Math.expm1(logE + Math.log(alpha)), logShare: Math.log(weight) + logE };
  });
  const deficit = metrics.reduce((sum, metric) => sum + Math.min(0, metric.surplus), 0);
  const named = metrics.filter(({ surplus }) => surplus >= 0 && surplus + deficit >= 0).map(({ index }) => index);
  let leading = -1;
  let largest = -Infinity;
  for (const { index, logShare } of metrics) {
    if (leading < 0 || logShare > largest) {
      leading = index;
      largest = logShare;
    }
  }
  return { named, leading };
}
