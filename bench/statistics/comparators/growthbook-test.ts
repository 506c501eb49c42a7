import type { Table } from '../../../src/statistics/table.js';
import type { SequentialTest } from '../sequential-test.js';
import { asymptoticConfidenceSequence, growthbookRho } from './growthbook.js';
import { RunningTable } from './z-test.js';

/** How the difference of two rates is stated; `relative` is what the product starts with. */
export type DifferenceType = 'relative' | 'absolute';

/**
 * GrowthBook's sequential test of two proportions: stops when the confidence sequence of their difference lies above 0.
 *
 * `alpha` is two-sided, 0.05 as shipped; 0.1 has the one-sided level 0.05 of the other tests. A relative difference
 * (p_c − p_s)/p_s has the delta method's variance v_c/p_s² + v_s·p_c²/p_s⁴, v = p(1 − p)/n; without events in either
 * sample there is no interval. Source: gbstats, frequentist tests and its `EffectMomentsConfig`.
 */
export class GrowthbookTest implements SequentialTest {
  private readonly alpha: number;
  private readonly rho: number;
  private readonly difference: DifferenceType;
  private readonly sum = new RunningTable();

  constructor(alpha: number, difference: DifferenceType = 'relative') {
    this.alpha = alpha;
    this.rho = growthbookRho(alpha);
    this.difference = difference;
  }

  add(batch: Table): boolean {
    this.sum.add(batch);
    const { candidateEvents, candidateTrials, stableEvents, stableTrials } = this.sum;
    const candidateRate = candidateEvents / candidateTrials;
    const stableRate = stableEvents / stableTrials;
    const candidateVariance = (candidateRate * (1 - candidateRate)) / candidateTrials;
    const stableVariance = (stableRate * (1 - stableRate)) / stableTrials;
    if (!(candidateRate > stableRate && candidateVariance > 0 && stableVariance > 0)) return false;
    const unit = this.difference === 'relative' ? stableRate : 1;
    const stableScale = this.difference === 'relative' ? candidateRate / stableRate : 1;
    const estimate = {
      point: (candidateRate - stableRate) / unit,
      variance: (candidateVariance + stableVariance * stableScale ** 2) / unit ** 2,
      observations: candidateTrials + stableTrials,
    };
    const [lower] = asymptoticConfidenceSequence(estimate, this.rho, this.alpha);
    return lower > 0;
  }
}
