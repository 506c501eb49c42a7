/** Keeps a resting split: in the ledger's route row, which every worker holds the fleet to, and on every member now. */
import { Context } from '@temporalio/activity';
import type { World } from './dependencies.js';
import { highestOf, writeToMembers } from './fleet-write.js';
import type { ReconcileRoutesInput, SetSplitResult } from './types.js';

/** Idempotent: the row keeps the higher generation, and a member that has the split already confirms it again. */
export async function reconcileRoutes(world: World, input: ReconcileRoutesInput): Promise<SetSplitResult> {
  const signal = Context.current().cancellationSignal;
  // The row first: once it is there, every worker's loop brings the members after it.
  await world.ledger.putRouteRow({
    route: input.route,
    stable: input.split.upstreams.stable,
    split: input.split,
    updatedAt: world.clock.now(),
  });
  const members = await world.backend.members(input.members, signal);
  const writes = await writeToMembers(world.backend, members, input.route, input.split, null, signal);
  const row = await world.ledger.routeRow(input.route);
  const missing = writes.filter(({ outcome }) => outcome.kind === 'stale' || outcome.kind === 'failed');
  return {
    members,
    confirmed: writes.filter(({ outcome }) => outcome.kind === 'confirmed').map(({ member }) => member.address),
    outstanding: missing.map(({ member }) => member.address),
    highestGeneration: Math.max(input.split.generation, highestOf(writes), row?.split.generation ?? 0),
  };
}
