import type { Kysely, Selectable } from 'kysely';
import { compareText } from '../evidence/record-order.js';
import type { RouteName } from '../plan/ids.js';
import { fromJson, toJson } from './json.js';
import type { RouteRow } from './ledger.js';
import type { LedgerTables, RouteTable } from './tables.js';

type Database = Kysely<LedgerTables>;

export async function findRouteRow(db: Database, route: RouteName): Promise<RouteRow | null> {
  const found = await db.selectFrom('route').selectAll().where('route', '=', route).executeTakeFirst();
  return found === undefined ? null : rowOf(found);
}

/** In order of their names. */
export async function listRouteRows(db: Database): Promise<readonly RouteRow[]> {
  const found = await db.selectFrom('route').selectAll().execute();
  return found.map(rowOf).toSorted((left, right) => compareText(left.route, right.route));
}

/** The generation fences here as it does on the routers: the higher one stays. */
export async function upsertRouteRow(db: Database, row: RouteRow): Promise<void> {
  await db
    .insertInto('route')
    .values({
      route: row.route,
      stable: row.stable,
      generation: row.split.generation,
      split: toJson(row.split),
      updated_at: row.updatedAt,
    })
    .onConflict((conflict) =>
      conflict
        .column('route')
        .doUpdateSet((build) => ({
          stable: build.ref('excluded.stable'),
          generation: build.ref('excluded.generation'),
          split: build.ref('excluded.split'),
          updated_at: build.ref('excluded.updated_at'),
        }))
        .whereRef('excluded.generation', '>', 'route.generation'),
    )
    .execute();
}

function rowOf(row: Selectable<RouteTable>): RouteRow {
  return { route: row.route, stable: row.stable, split: fromJson(row.split), updatedAt: row.updated_at };
}
