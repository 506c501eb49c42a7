import { AliasTable } from './alias-table.js';
import type { Random } from './random.js';

/** Outcomes less likely than this against the most likely one are beyond a double's resolution of the sum. */
const NEGLIGIBLE = 1e-18;

/** Probabilities of a binomial distribution for the outcomes `first`, `first` + 1, …; the rest is negligible. */
export interface BinomialWeights {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * P(k) of a binomial distribution up to a common factor, outwards from its mode by the ratio of neighbours
 * (trials − k)/(k + 1) · rate/(1 − rate). Throws unless trials is a count and 0 ≤ rate ≤ 1.
 */
export function binomialWeights(trials: number, rate: number): BinomialWeights {
  if (!Number.isSafeInteger(trials) || trials < 0 || !(rate >= 0 && rate <= 1)) {
    throw new RangeError(`no binomial distribution has ${trials} trials at a rate of ${rate}`);
  }
  if (rate === 1) return { first: trials, weights: [1] };
  const odds = rate / (1 - rate);
  const mode = Math.min(trials, Math.floor((trials + 1) * rate));
  const above: number[] = [];
  for (let k = mode, weight = 1; k < trials; k++) {
    weight *= ((trials - k) / (k + 1)) * odds;
    if (weight < NEGLIGIBLE) break;
    above.push(weight);
  }
  const below: number[] = [];
  for (let k = mode, weight = 1; k > 0; k--) {
    weight *= k / ((trials - k + 1) * odds);
    if (weight < NEGLIGIBLE) break;
    below.push(weight);
  }
  return { first: mode - below.length, weights: [...below.reverse(), 1, ...above] };
}

/** Exact binomial draws, one uniform number each. */
export class BinomialSampler {
  private readonly first: number;
  private readonly table: AliasTable;

  constructor(trials: number, rate: number) {
    const { first, weights } = binomialWeights(trials, rate);
    this.first = first;
    this.table = new AliasTable(weights);
  }

  sample(random: Random): number {
    return this.first + this.table.sample(random);
  }
}

const samplers = new Map<string, BinomialSampler>();

/** The sampler of a distribution, built once: simulations draw from few distributions many times. */
export function binomialSampler(trials: number, rate: number): BinomialSampler {
  const key = `${trials} ${rate}`;
  let sampler = samplers.get(key);
  if (!sampler) {
    sampler = new BinomialSampler(trials, rate);
    samplers.set(key, sampler);
  }
  return sampler;
}
