import type { UserBuckets } from '../../evidence/record.js';
import { sparse } from './log-histogram.js';

const BUCKETS = 64;

/** Trials and bad events per user bucket, for the design effect. */
export class UserBucketCounts {
  readonly #trials = new Uint32Array(BUCKETS);
  readonly #events = new Uint32Array(BUCKETS);

  add(bucket: number, event: boolean): void {
    this.#trials[bucket] = (this.#trials[bucket] ?? 0) + 1;
    if (event) this.#events[bucket] = (this.#events[bucket] ?? 0) + 1;
  }

  toUserBuckets(): UserBuckets {
    return { trials: sparse(this.#trials), events: sparse(this.#events) };
  }
}
