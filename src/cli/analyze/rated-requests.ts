/** Ratings of logged requests as the ledger would have had them. */
import type { StoredRating } from '../../evidence/record.js';
import type { GenerationKey } from '../../router/meter/interval-cell.js';
import type { RequestLine } from './request-line.js';

/**
 * A file does not tell when a rating came: it counts as given with its request, and is tested once the horizon is over,
 * as live. A request is rated once; of a score and a thumb the score counts.
 */
export class RatedRequests {
  readonly #waiting: StoredRating[] = [];
  #count = 0;

  /** In order of `at`; without a rating nothing happens. */
  add(request: RequestLine, generation: GenerationKey, stratum: string, userBucket: number): void {
    const { at, variant, thumb, score } = request;
    if (thumb === null && score === null) return;
    this.#count += 1;
    this.#waiting.push({
      nonce: String(this.#count),
      rollout: generation.rollout,
      generation: generation.generation,
      stratum,
      variant,
      userBucket,
      requestStartedAt: at,
      ratedAt: at,
      knownAfter: at,
      rating: score === null ? { kind: 'thumb', up: thumb === 'up' } : { kind: 'score', score },
    });
  }

  /** Takes out the ratings of requests that started before a time, Unix ms. */
  take(beforeMs: number): readonly StoredRating[] {
    const later = this.#waiting.findIndex(({ requestStartedAt }) => requestStartedAt >= beforeMs);
    return this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
  }
}
