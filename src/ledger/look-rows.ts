import type { Kysely } from 'kysely';
import type { Look } from '../evidence/look.js';
import type { RolloutId } from '../plan/ids.js';
import { fromJson, toJson } from './json.js';
import type { LedgerTables } from './tables.js';

/** The first record of a look stays: a retry may not change what a decision was based on. */
export async function insertLook(db: Kysely<LedgerTables>, look: Look): Promise<void> {
  await db
    .insertInto('look')
    .values({
      look: look.id,
      rollout: look.rollout,
      closed_through: look.position.closedThrough,
      at: look.at,
      body: toJson(look),
    })
    .onConflict((conflict) => conflict.column('look').doNothing())
    .execute();
}

export async function findLook(db: Kysely<LedgerTables>, id: string): Promise<Look | null> {
  const found = await db.selectFrom('look').select('body').where('look', '=', id).executeTakeFirst();
  return found === undefined ? null : fromJson(found.body);
}

/** In the order of the evidence that they saw. */
export async function listLooks(db: Kysely<LedgerTables>, rollout: RolloutId): Promise<readonly Look[]> {
  const found = await db
    .selectFrom('look')
    .select('body')
    .where('rollout', '=', rollout)
    .orderBy('closed_through')
    .orderBy('at')
    .execute();
  return found.map(({ body }) => fromJson(body));
}
