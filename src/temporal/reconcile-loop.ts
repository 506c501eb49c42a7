/** Holds every route to the resting split that the ledger keeps for it, rollout or not. */
import type { TrafficBackend } from '../backends/traffic-backend.js';
import type { Ledger, RouteRow } from '../ledger/ledger.js';
import { isResting } from '../plan/split.js';
import type { Chore } from './periodic.js';

export interface ReconcileDependencies {
  readonly backend: TrafficBackend;
  readonly ledger: Pick<Ledger, 'routeRows'>;
  readonly log: {
    info(message: string, attributes?: Readonly<Record<string, unknown>>): void;
    warn(message: string, attributes?: Readonly<Record<string, unknown>>): void;
  };
}

export interface ReconcileReport {
  /** Members that were given their route's resting split. */
  readonly written: readonly { readonly route: string; readonly address: string }[];
  /** Members that could not be asked or written. */
  readonly failed: readonly { readonly route: string; readonly address: string; readonly reason: string }[];
}

/** Once a minute, as long as the worker lives. */
const RECONCILE_EVERY_MS = 60_000;

/**
 * One pass over all route rows and all members: a member whose generation is below the row's, and on which no rollout is
 * in force, gets the row's resting split. A split in force is never touched: its rollout looks after it.
 */
export async function reconcileOnce(
  dependencies: ReconcileDependencies,
  signal: AbortSignal,
): Promise<ReconcileReport> {
  const { backend, ledger, log } = dependencies;
  const rows = await ledger.routeRows();
  if (rows.length === 0) return { written: [], failed: [] };
  const members = await backend.members([], signal);
  const written: { route: string; address: string }[] = [];
  const failed: { route: string; address: string; reason: string }[] = [];
  await Promise.all(
    rows.flatMap((row) =>
      members.map(async (member) => {
        try {
          const view = await backend.readSplit(member, row.route, signal);
          if (view.split.generation >= row.split.generation) return;
          if (!isResting(view.split) && view.inForce) return;
          const outcome = await backend.writeSplit(member, row.route, row.split, {}, signal);
          if (outcome.kind !== 'confirmed') return;
          written.push({ route: row.route, address: member.address });
          log.info(`gave ${member.address} the resting split of route ${row.route}`, attributesOf(row));
        } catch (error) {
          signal.throwIfAborted();
          const reason = error instanceof Error ? error.message : 'unknown reason';
          failed.push({ route: row.route, address: member.address, reason });
          log.warn(`cannot hold ${member.address} to the resting split of route ${row.route}: ${reason}`);
        }
      }),
    ),
  );
  return { written, failed };
}

/** The chore that holds the fleet to the ledger's route rows. */
export function reconcileChore(dependencies: ReconcileDependencies): Chore {
  return {
    name: 'routes reconciled',
    everyMs: RECONCILE_EVERY_MS,
    pass: (signal) => reconcileOnce(dependencies, signal),
  };
}

function attributesOf(row: RouteRow): Readonly<Record<string, unknown>> {
  return { route: row.route, stable: row.stable, generation: row.split.generation };
}
