/** Deletes what the retention no longer keeps. Rollouts and their last states stay: they are small, and are the history. */
import type { Kysely } from 'kysely';
import type { RolloutId } from '../plan/ids.js';
import type { LedgerTables } from './tables.js';

/** Interval ends in one statement: each holds the write lock of a SQLite file for well under a second. */
const ENDS_AT_ONCE = 2_000;

type Database = Kysely<LedgerTables>;
type Write = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * See `Ledger.expire`. A rollout without an outcome has ended when the route's next one began. Interrupted at any step,
 * the next call goes on from there: a rollout counts as expired only when all of it is gone.
 */
export async function expireRollouts(db: Database, before: number, write: Write): Promise<number> {
  const ended = await endedBefore(db, before);
  for (const { number, rollout } of ended) {
    await deleteEvidence(db, number, write);
    await write(() => deleteRest(db, number, rollout, before));
  }
  return ended.length;
}

async function endedBefore(
  db: Database,
  before: number,
): Promise<readonly { readonly number: number; readonly rollout: RolloutId }[]> {
  return db
    .selectFrom('rollout')
    .leftJoin('status', 'status.rollout', 'rollout.rollout')
    .select(['rollout.number', 'rollout.rollout'])
    .where('rollout.expired_at', 'is', null)
    .where((build) =>
      build.or([
        build('status.ended_at', '<', before),
        build.and([
          build('status.ended_at', 'is', null),
          build.exists(
            build
              .selectFrom('rollout as next')
              .select('next.number')
              .whereRef('next.route', '=', 'rollout.route')
              .whereRef('next.started_at', '>', 'rollout.started_at')
              .where('next.started_at', '<', before),
          ),
        ]),
      ]),
    )
    .orderBy('rollout.number')
    .execute();
}

async function deleteEvidence(db: Database, number: number, write: Write): Promise<void> {
  for (;;) {
    const ends = await db
      .selectFrom('evidence')
      .select('interval_end')
      .distinct()
      .where('rollout_number', '=', number)
      .orderBy('interval_end')
      .limit(ENDS_AT_ONCE)
      .execute();
    const last = ends.at(-1);
    if (last === undefined) return;
    await write(() =>
      db
        .deleteFrom('evidence')
        .where('rollout_number', '=', number)
        .where('interval_end', '<=', last.interval_end)
        .execute(),
    );
  }
}

async function deleteRest(db: Database, number: number, rollout: RolloutId, expiredAt: number): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('evidence_source').where('rollout_number', '=', number).execute();
    await transaction.deleteFrom('rating').where('rollout_number', '=', number).execute();
    await transaction.deleteFrom('look').where('rollout', '=', rollout).execute();
    await transaction.deleteFrom('decision').where('rollout', '=', rollout).execute();
    await transaction.updateTable('rollout').set({ expired_at: expiredAt }).where('number', '=', number).execute();
  });
}
