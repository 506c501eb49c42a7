import type { Table } from '../../../src/statistics/table.js';
import type { SequentialTest } from '../sequential-test.js';

/** Candidate requests of one measurement. */
const WINDOW = 100;
/** A measurement fails above so many times the baseline. */
const TIMES_BASELINE = 2;
/** One more failed measurement than this and the rollout is rolled back: Argo's `failureLimit`. */
const FAILURE_LIMIT = 3;

/**
 * The rule of an Argo Rollouts analysis or a Flagger metric check: measure a window, fail it above a fixed limit, roll
 * back at the fourth failure. The limit is twice the true baseline, which a user would have to know.
 */
export class FailureLimit implements SequentialTest {
  private readonly limit: number;
  private events = 0;
  private trials = 0;
  private failures = 0;

  constructor(baseline: number) {
    this.limit = TIMES_BASELINE * baseline;
  }

  add(batch: Table): boolean {
    this.events += batch.candidateEvents;
    this.trials += batch.candidateTrials;
    if (this.trials < WINDOW) return false;
    if (this.events / this.trials > this.limit) this.failures++;
    this.events = 0;
    this.trials = 0;
    return this.failures > FAILURE_LIMIT;
  }
}
