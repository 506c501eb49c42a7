/** Writes a split to the fleet: to all of it for an increase, to whoever can be reached for a rollback. */
import { Context } from '@temporalio/activity';
import type { Member, RouteView } from '../src/backends/traffic-backend.js';
import { SluiceError } from '../src/plan/failures.js';
import { isResting } from '../src/plan/split.js';
import type { Split } from '../src/plan/split.js';
import type { World } from './dependencies.js';
import { highestOf, worstOf, writeToMembers } from './fleet-write.js';
import type { MemberWrite } from './fleet-write.js';
import { reasonOf } from './failure.js';
import type { SetSplitInput, SetSplitResult } from './types.js';

/**
 * Writes the same body to every member in parallel; repeating it is harmless.
 * @throws SluiceError `route-owned` (another rollout's split is in force), `fleet-not-converged` or the failure of a member
 * that no retry mends, all of them only for `confirm: 'all'`
 */
export async function setSplit(world: World, input: SetSplitInput): Promise<SetSplitResult> {
  const signal = Context.current().cancellationSignal;
  const members = await world.backend.members(input.members, signal);
  const writes = await writeToMembers(world.backend, members, input.route, input.split, input.takeOver, signal);
  const confirmed = writes.filter(isConfirmed);
  const highestGeneration = Math.max(input.split.generation, highestOf(writes));
  const result = { members, confirmed: confirmed.map(({ member }) => member.address), highestGeneration };
  if (input.confirm === 'all') {
    const stale = await requireAll(world, input, writes, signal);
    return { ...result, outstanding: stale.map(({ member }) => member.address) };
  }
  const outstanding = writes.filter((write) => !servesAnother(write, input.split) && !isConfirmed(write));
  for (const { member, outcome } of outstanding) {
    const why = outcome.kind === 'failed' ? outcome.error.message : 'it holds this generation or a higher one';
    world.log.warn(`${member.address} has not confirmed generation ${input.split.generation}: ${why}`);
  }
  return { ...result, outstanding: outstanding.map(({ member }) => member.address) };
}

/** Members that hold a higher generation: the caller writes again above it. Anything else that is missing throws. */
async function requireAll(
  world: World,
  input: SetSplitInput,
  writes: readonly MemberWrite[],
  signal: AbortSignal,
): Promise<readonly MemberWrite[]> {
  for (const { member, outcome } of writes) {
    if (outcome.kind !== 'stale' && outcome.kind !== 'owned') continue;
    if (input.takeOver === null && holdsIt(outcome.current, input.split)) {
      throw routeOwned(input, member, outcome.current.split);
    }
  }
  // With a take-over an owner's higher generation is only to be exceeded.
  const stale = writes.filter(({ outcome }) => outcome.kind === 'stale' || outcome.kind === 'owned');
  if (stale.length > 0) return stale;
  const failed = writes.flatMap(({ member, outcome }) =>
    outcome.kind === 'failed' ? [{ member, error: outcome.error }] : [],
  );
  const listed = failed.length === 0 ? null : await listedAddresses(world, signal);
  // Who left the fleet and cannot be reached serves nobody any more, or until its lease ends; who is listed must confirm.
  const missing = failed.filter(({ member }) => listed === null || listed.has(member.address));
  const worst = worstOf(missing.map(({ error }) => error));
  if (worst === null) return [];
  const names = missing.map(({ member, error }) => `${member.address} (${error.message})`).join(', ');
  throw new SluiceError(
    worst.code === 'router-unauthorized' ? worst.code : 'fleet-not-converged',
    `route "${input.route}": ${writes.length - failed.length} of ${writes.length} members took generation ${input.split.generation}; missing: ${names}`,
    { cause: worst },
  );
}

function isConfirmed({ outcome }: MemberWrite): boolean {
  return outcome.kind === 'confirmed';
}

/** Another rollout's split is in force there. */
function holdsIt({ split, inForce }: RouteView, written: Split): boolean {
  return inForce && !isResting(split) && split.rollout !== written.rollout;
}

/** Refused for the split of another rollout, running or ended: it serves nothing of this one any more. */
function servesAnother({ outcome }: MemberWrite, written: Split): boolean {
  if (outcome.kind === 'owned') return true;
  if (outcome.kind !== 'stale') return false;
  const { rollout } = outcome.current.split;
  return rollout !== null && rollout !== written.rollout;
}

/** Addresses of the fleet as configured now; null when that cannot be seen. */
async function listedAddresses(world: World, signal: AbortSignal): Promise<ReadonlySet<string> | null> {
  try {
    const listed = await world.backend.members([], signal);
    return new Set(listed.map(({ address }) => address));
  } catch (error) {
    signal.throwIfAborted();
    world.log.warn(`the fleet cannot be listed: ${reasonOf(error)}`);
    return null;
  }
}

function routeOwned(input: SetSplitInput, member: Member, current: Split): SluiceError {
  return new SluiceError(
    'route-owned',
    `route "${input.route}" on ${member.address} is held by rollout ${current.rollout ?? 'unknown'}, generation ${current.generation}: end that one, wait for its lease, or start with --take-over --reason`,
  );
}
