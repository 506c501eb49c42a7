import type { Kysely } from 'kysely';
import { compareText } from '../evidence/record-order.js';
import type { RatingRecord } from '../evidence/record.js';
import { inChunks } from './in-chunks.js';
import { fromJson, toJson } from './json.js';
import type { LedgerTables } from './tables.js';

/** A nonce that is there already is left as it is: the first rating of a request wins. */
export async function insertRatings(
  db: Kysely<LedgerTables>,
  number: number,
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
          body: toJson(rating),
        })),
      )
      .onConflict((conflict) => conflict.column('nonce').doNothing())
      .execute();
  }
}

/** Ratings of requests that started in the intervals with `after` < end ≤ `through`, in order of start and nonce. */
export async function readRatings(
  db: Kysely<LedgerTables>,
  number: number,
  after: number,
  through: number,
): Promise<readonly RatingRecord[]> {
  const rows = await db
    .selectFrom('rating')
    .select('body')
    .where('rollout_number', '=', number)
    .where('request_started_at', '>=', after)
    .where('request_started_at', '<', through)
    .execute();
  return rows
    .map(({ body }) => fromJson(body))
    .toSorted((left, right) => left.requestStartedAt - right.requestStartedAt || compareText(left.nonce, right.nonce));
}
