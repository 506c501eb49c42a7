import { binomialSampler } from './sampling/binomial.js';
import type { BinomialSampler } from './sampling/binomial.js';
import type { Random } from './sampling/random.js';
import type { Batch } from './sequential-test.js';
import type { BatchShape } from './settings.js';

/** Draws batches of independent requests; the batch is overwritten by the next draw. */
export class BatchSource {
  private readonly batch: { -readonly [Key in keyof Batch]: Batch[Key] };
  private readonly candidate: BinomialSampler;
  private readonly matched: BinomialSampler;
  private readonly rest: BinomialSampler;

  constructor({ candidateTrials, stableTrials }: BatchShape, stableRate: number, candidateRate: number) {
    const matchedTrials = Math.min(candidateTrials, stableTrials);
    this.candidate = binomialSampler(candidateTrials, candidateRate);
    this.matched = binomialSampler(matchedTrials, stableRate);
    this.rest = binomialSampler(stableTrials - matchedTrials, stableRate);
    this.batch = { candidateTrials, stableTrials, candidateEvents: 0, stableEvents: 0, matchedStableEvents: 0 };
  }

  draw(random: Random): Batch {
    this.batch.candidateEvents = this.candidate.sample(random);
    this.batch.matchedStableEvents = this.matched.sample(random);
    this.batch.stableEvents = this.batch.matchedStableEvents + this.rest.sample(random);
    return this.batch;
  }
}
