import type { Table } from '../../../src/statistics/table.js';
import type { SequentialTest } from '../sequential-test.js';
import { normalQuantile } from './fixed-sample.js';

/** Textbooks allow the normal approximation from so many expected events in the smaller sample on. */
const LEAST_EXPECTED_EVENTS = 5;

/** The pooled one-sided z-statistic of "the candidate's rate is higher"; 0 where the approximation is not allowed yet. */
export function zStatistic({ candidateEvents, candidateTrials, stableEvents, stableTrials }: Table): number {
  const pooled = (candidateEvents + stableEvents) / (candidateTrials + stableTrials);
  if (Math.min(candidateTrials, stableTrials) * Math.min(pooled, 1 - pooled) < LEAST_EXPECTED_EVENTS) return 0;
  const variance = pooled * (1 - pooled) * (1 / candidateTrials + 1 / stableTrials);
  return (candidateEvents / candidateTrials - stableEvents / stableTrials) / Math.sqrt(variance);
}

/** Sums of all batches so far. */
export class RunningTable implements Table {
  candidateEvents = 0;
  candidateTrials = 0;
  stableEvents = 0;
  stableTrials = 0;

  add(batch: Table): void {
    this.candidateEvents += batch.candidateEvents;
    this.candidateTrials += batch.candidateTrials;
    this.stableEvents += batch.stableEvents;
    this.stableTrials += batch.stableTrials;
  }
}

/**
 * The classical z-test of two proportions at level alpha. Looked at after every batch it is what dashboards invite to;
 * with `onlyAt` it is what its level means: one look, at a size fixed beforehand (in candidate requests).
 */
export class ZTest implements SequentialTest {
  private readonly critical: number;
  private readonly onlyAt: number | null;
  private readonly sum = new RunningTable();

  constructor(alpha: number, onlyAt: number | null = null) {
    this.critical = normalQuantile(1 - alpha);
    this.onlyAt = onlyAt;
  }

  add(batch: Table): boolean {
    const before = this.sum.candidateTrials;
    this.sum.add(batch);
    const looks = this.onlyAt === null || (before < this.onlyAt && this.sum.candidateTrials >= this.onlyAt);
    return looks && zStatistic(this.sum) >= this.critical;
  }
}
