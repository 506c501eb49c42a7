import { requireNumber, requireSameLength, requireWeights } from './checks.js';

/**
 * ln Σ exp(x_i), with the largest x subtracted first, so that log e-values of ±10^5 neither overflow nor vanish.
 *
 * Nats in, nats out. −∞ is an e-value of 0 and legal; an empty list gives −∞; NaN throws.
 */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    requireNumber(value, 'log value');
    if (value > largest) largest = value;
  }
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] ?? -Infinity) - largest);
  return largest + Math.log(sum);
}

/**
 * ln Σ w_i · exp(x_i): the logarithm of a weighted average of e-values.
 *
 * An average of e-processes is an e-process under any dependence (Vovk & Wang 2021), which is why families of metrics,
 * stages and quantiles are all combined by this one function. Nats in, nats out. Throws unless the weights are
 * non-negative and sum to 1 within 1e-12, when the lengths differ, and on NaN.
 */
export function logWeightedAverage(logValues: ArrayLike<number>, weights: ArrayLike<number>): number {
  requireSameLength(logValues.length, weights.length, 'values and weights');
  requireWeights(weights, 'weights');
  const terms = new Float64Array(weights.length);
  for (let i = 0; i < terms.length; i++) {
    const value = logValues[i] ?? Number.NaN;
    requireNumber(value, 'log value');
    const weight = weights[i] ?? 0;
    // A weight of 0 adds nothing whatever its value; ln 0 + ∞ would be NaN.
    terms[i] = weight === 0 ? -Infinity : Math.log(weight) + value;
  }
  return logSumExp(terms);
}
