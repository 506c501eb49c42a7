import type { Kysely, Selectable } from 'kysely';
import { SluiceError } from '../plan/failures.js';
import type { RolloutId, RouteName } from '../plan/ids.js';
import { fromJson, toJson } from './json.js';
import type { RolloutRow } from './ledger.js';
import type { LedgerTables, RolloutTable } from './tables.js';

type Database = Kysely<LedgerTables>;

/** See `Ledger.openRollout`. */
export async function openRollout(db: Database, row: RolloutRow): Promise<RolloutRow> {
  return db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('rollout')
      .values({
        rollout: row.rollout,
        route: row.route,
        started_at: row.startedAt,
        plan: toJson(row.plan),
        salt: row.salt,
        seeds: toJson(row.seeds),
      })
      .onConflict((conflict) => conflict.column('rollout').doNothing())
      .execute();
    const kept = await transaction
      .selectFrom('rollout')
      .selectAll()
      .where('rollout', '=', row.rollout)
      .executeTakeFirstOrThrow();
    await transaction
      .insertInto('frontier')
      .values({ rollout_number: kept.number, closed_through: 0 })
      .onConflict((conflict) => conflict.column('rollout_number').doNothing())
      .execute();
    return rowOf(kept);
  });
}

export async function findRollout(db: Database, rollout: RolloutId): Promise<RolloutRow | null> {
  const found = await db.selectFrom('rollout').selectAll().where('rollout', '=', rollout).executeTakeFirst();
  return found === undefined ? null : rowOf(found);
}

/** Newest first, of one route or of all. */
export async function listRollouts(
  db: Database,
  route: RouteName | null,
  limit: number,
): Promise<readonly RolloutRow[]> {
  const found = await db
    .selectFrom('rollout')
    .selectAll()
    .$if(route !== null, (query) => query.where('route', '=', route))
    .orderBy('started_at', 'desc')
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return found.map(rowOf);
}

/**
 * The number under which a rollout's evidence is filed.
 *
 * @throws SluiceError `rollout-unknown` when it was never opened, or its evidence is deleted: nothing may pass for "no evidence"
 */
export async function rolloutNumber(db: Database, rollout: RolloutId): Promise<number> {
  const found = await db
    .selectFrom('rollout')
    .select(['number', 'expired_at'])
    .where('rollout', '=', rollout)
    .executeTakeFirst();
  if (found === undefined) {
    throw new SluiceError('rollout-unknown', `the ledger has no rollout ${rollout}; "sluice list" shows those it has`);
  }
  if (found.expired_at !== null) {
    throw new SluiceError(
      'rollout-unknown',
      `the evidence of rollout ${rollout} was deleted after its retention; its last status is kept`,
    );
  }
  return found.number;
}

function rowOf(row: Selectable<RolloutTable>): RolloutRow {
  return {
    rollout: row.rollout,
    route: row.route,
    plan: fromJson(row.plan),
    salt: row.salt,
    seeds: fromJson(row.seeds),
    startedAt: row.started_at,
  };
}
