/** The last state of each rollout, for whoever asks while no worker answers. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { compareText } from '../evidence/record-order.js';
import type { RolloutId, RouteName } from '../plan/ids.js';
import type { RolloutStatus } from '../plan/status.js';
import { fromJson, toJson } from './json.js';
import type { LedgerTables } from './tables.js';

type Database = Kysely<LedgerTables>;

/** Keeps the newer of two states: an activity that was given up may still write after its successor. */
export async function upsertStatus(db: Database, status: RolloutStatus): Promise<void> {
  const { route, rollout, outcome, split, decisions } = status;
  await db
    .insertInto('status')
    .values({
      rollout,
      route,
      started_at: startOf(rollout),
      ended: outcome === null ? 0 : 1,
      generation: split.generation,
      decided_at: decisions.at(-1)?.at ?? 0,
      ended_at: outcome?.at ?? null,
      body: toJson(status),
    })
    .onConflict((conflict) =>
      conflict
        .column('rollout')
        .doUpdateSet((build) => ({
          ended: build.ref('excluded.ended'),
          generation: build.ref('excluded.generation'),
          decided_at: build.ref('excluded.decided_at'),
          ended_at: build.ref('excluded.ended_at'),
          body: build.ref('excluded.body'),
        }))
        .where(
          sql<boolean>`(excluded.ended, excluded.generation, excluded.decided_at) >= (status.ended, status.generation, status.decided_at)`,
        ),
    )
    .execute();
}

/** Of the route's newest rollout; null when nothing has been saved of it yet. */
export async function lastStatusOf(db: Database, route: RouteName): Promise<RolloutStatus | null> {
  const [last] = await lastStatuses(db, route);
  return last ?? null;
}

/** One per route, of its newest rollout, of one route or of all; in order of the routes' names. */
export async function lastStatuses(db: Database, route: RouteName | null): Promise<readonly RolloutStatus[]> {
  const saved = await db
    .selectFrom('status')
    .select(['route', 'rollout', 'started_at'])
    .$if(route !== null, (query) => query.where('route', '=', route))
    .orderBy('started_at')
    .execute();
  const opened = await newestRollouts(db, route);
  const newest = new Map(saved.map((row) => [row.route, row]));
  const wanted = [...newest.values()].filter((row) => row.started_at >= (opened.get(row.route) ?? 0));
  if (wanted.length === 0) return [];
  const found = await db
    .selectFrom('status')
    .select('body')
    .where(
      'rollout',
      'in',
      wanted.map(({ rollout }) => rollout),
    )
    .execute();
  return found.map(({ body }) => fromJson(body)).toSorted((left, right) => compareText(left.route, right.route));
}

/** A rollout that has just been opened has no state yet, and that of the one before would mislead. */
async function newestRollouts(db: Database, route: RouteName | null): Promise<ReadonlyMap<RouteName, number>> {
  const rows = await db
    .selectFrom('rollout')
    .select(({ fn }) => ['route', fn.max('started_at').as('started_at')])
    .$if(route !== null, (query) => query.where('route', '=', route))
    .groupBy('route')
    .execute();
  // Ids name the second only.
  return new Map(rows.map((row) => [row.route, Math.floor(row.started_at / 1000) * 1000]));
}

/** The start that a rollout's id names, Unix ms. */
function startOf(rollout: RolloutId): number {
  return Date.parse(rollout.slice(rollout.lastIndexOf('@') + 1));
}
