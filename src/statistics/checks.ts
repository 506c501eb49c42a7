import { StatisticsError } from './errors.js';

/** How far a sum of weights may be from 1. */
const WEIGHT_SUM_TOLERANCE = 1e-12;

/** Throws unless `count` is an integer in 0 … 2^53 − 1. */
export function requireCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new StatisticsError('counts-not-integers', 'counts must be non-negative integers');
  }
}

/** Throws on NaN only; infinities pass, since −∞ is a legal log e-value. */
export function requireNumber(value: number, name: string): void {
  if (Number.isNaN(value)) throw new StatisticsError('not-a-number', `${name} is not a number`);
}

/** Throws on NaN and on both infinities. */
export function requireFinite(value: number, name: string): void {
  requireNumber(value, name);
  if (!Number.isFinite(value)) throw new StatisticsError('out-of-range', `${name} must be finite`);
}

/** Throws unless `value` is finite and above zero. */
export function requirePositive(value: number, name: string): void {
  requireFinite(value, name);
  if (value <= 0) throw new StatisticsError('out-of-range', `${name} must be positive`);
}

/** Throws unless `value` is a rate strictly between 0 and 1. */
export function requireOpenRate(value: number, name: string): void {
  requireNumber(value, name);
  if (value <= 0 || value >= 1) throw new StatisticsError('rate-out-of-range', `${name} out of range`);
}

/** Throws unless `value` is a rate in [0, 1]. */
export function requireRate(value: number, name: string): void {
  requireNumber(value, name);
  if (value < 0 || value > 1) throw new StatisticsError('rate-out-of-range', `${name} out of range`);
}

/** Throws unless the two lengths agree. */
export function requireSameLength(left: number, right: number, names: string): void {
  if (left !== right) throw new StatisticsError('length-mismatch', `${names} differ in length: ${left} and ${right}`);
}

/** Throws unless every weight is a non-negative number and they sum to 1 within 1e-12. */
export function requireWeights(weights: ArrayLike<number>, name: string): void {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? Number.NaN;
    requireFinite(weight, name);
    if (weight < 0) throw new StatisticsError('out-of-range', `${name} must not be negative`);
    sum += weight;
  }
  if (Math.abs(sum - 1) > WEIGHT_SUM_TOLERANCE) {
    throw new StatisticsError('weights-do-not-sum-to-one', `${name} must sum to 1, not ${sum}`);
  }
}
