import type { Kysely } from 'kysely';
import type { RolloutId } from '../plan/ids.js';
import type { Decision } from '../plan/status.js';
import { fromJson, toJson } from './json.js';
import type { LedgerTables } from './tables.js';

/** The first record of a decision stays. */
export async function insertDecision(
  db: Kysely<LedgerTables>,
  rollout: RolloutId,
  sequence: number,
  decision: Decision,
): Promise<void> {
  await db
    .insertInto('decision')
    .values({ rollout, sequence, body: toJson(decision) })
    .onConflict((conflict) => conflict.columns(['rollout', 'sequence']).doNothing())
    .execute();
}

export async function listDecisions(db: Kysely<LedgerTables>, rollout: RolloutId): Promise<readonly Decision[]> {
  const found = await db
    .selectFrom('decision')
    .select('body')
    .where('rollout', '=', rollout)
    .orderBy('sequence')
    .execute();
  return found.map(({ body }) => fromJson(body));
}
