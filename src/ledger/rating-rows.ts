import type { Kysely } from 'kysely';
import { compareText } from '../evidence/record-order.js';
import type { RatingRecord, StoredRating } from '../evidence/record.js';
import { inChunks } from './in-chunks.js';
import { fromJson, toJson } from './json.js';
import type { LedgerTables } from './tables.js';

/** A nonce that is there already is left as it is: the first rating of a request wins. */
export async function insertRatings(
  db: Kysely<LedgerTables>,
  number: number,
  frontier: number,
  ratings: readonly RatingRecord[],
): Promise<void> {
  for (const chunk of inChunks(ratings)) {
    await db
      .insertInto('rating')
      .values(
        chunk.map((rating) => ({
          nonce: rating.nonce,
          rollout_number: number,
          request_started_at: rating.requestStartedAt,
          known_after: frontier,
          body: toJson(rating),
        })),
      )
      .onConflict((conflict) => conflict.column('nonce').doNothing())
      .execute();
  }
}

/** See `Ledger.ratings`. */
export async function readRatings(
  db: Kysely<LedgerTables>,
  number: number,
  after: number,
  through: number,
): Promise<readonly StoredRating[]> {
  const rows = await db
    .selectFrom('rating')
    .select(['known_after', 'body'])
    .where('rollout_number', '=', number)
    .where('known_after', '>=', after)
    .where('known_after', '<', through)
    .execute();
  return rows
    .map(({ known_after: knownAfter, body }): StoredRating => ({ ...fromJson(body), knownAfter }))
    .toSorted(
      (left, right) =>
        left.knownAfter - right.knownAfter ||
        left.requestStartedAt - right.requestStartedAt ||
        compareText(left.nonce, right.nonce),
    );
}
