/** Ratings as the ledger would hold them, drawn: thumbs under the requests of one record. */
import type { EvidenceRecord, StoredRating } from '../../../evidence/record.js';
import { drawBinomial } from './binomial.js';
import type { Random } from './random.js';

export interface RatingShares {
  /** Of the requests, how many are rated. */
  readonly rated: number;
  /** Of the ratings, how many are bad. */
  readonly bad: number;
}

/** Draws who rated, and how; each rating is known at once, and counts when the horizon of its stage is over. */
export function drawRatings(
  record: EvidenceRecord,
  { rated, bad }: RatingShares,
  random: Random,
): readonly StoredRating[] {
  const ratings = drawBinomial(record.error.trials, rated, random);
  const down = drawBinomial(ratings, bad, random);
  const { rollout, generation, stratum, variant, intervalStart } = record;
  return Array.from({ length: ratings }, (_, index) => ({
    nonce: `${generation}-${intervalStart}-${stratum}-${variant}-${index}`,
    rollout,
    generation,
    stratum,
    variant,
    userBucket: null,
    requestStartedAt: intervalStart,
    ratedAt: intervalStart,
    rating: { kind: 'thumb' as const, up: index >= down },
    knownAfter: intervalStart,
  }));
}
