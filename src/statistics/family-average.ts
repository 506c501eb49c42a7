import { logWeightedAverage } from './log-sum-exp.js';

/**
 * ln Σ_m a_m·E_m: the one e-process of a family of guardrails; the family has crossed at −ln α.
 *
 * Valid under any dependence between the metrics, and never later than Bonferroni, since it is ≥ each a_m·E_m. Give it
 * *current* values, never running maxima: averages of suprema are not controlled (Tavyrikov et al. 2025). Nats in and
 * out; one weight a metric, Σ = 1, renormalised over the metrics measured at the start. Throws on NaN, unequal lengths
 * and weights that do not sum to 1. Source: Vovk & Wang 2021; method §10.1.
 */
export function familyLogE(logEValues: readonly number[], weights: readonly number[]): number {
  return logWeightedAverage(logEValues, weights);
}
