/** The pipeline's first activity: checks everything, reads the whole fleet, and stores the rollout before any traffic moves. */
import { Context } from '@temporalio/activity';
import type { Member, RouteView } from '../src/backends/traffic-backend.js';
import type { SluiceConfig } from '../src/plan/config.js';
import { SluiceError } from '../src/plan/failures.js';
import { freezePlan } from '../src/plan/freeze.js';
import { rolloutId } from '../src/plan/ids.js';
import type { RolloutId, RouteName } from '../src/plan/ids.js';
import { withoutGuardrails } from '../src/plan/leave-out.js';
import { meteringFor } from '../src/plan/metering.js';
import { isResting } from '../src/plan/split.js';
import type { Plan } from '../src/plan/types.js';
import type { RolloutRow } from '../src/ledger/ledger.js';
import type { World } from './dependencies.js';
import { asSluiceError, worstOf } from './fleet-write.js';
import { seedHistograms, seedThresholds } from './seeds.js';
import type { OpenRolloutInput, OpenRolloutResult } from './types.js';
import { unmeasurable } from './unmeasurable.js';
import type { Unmeasurable } from './unmeasurable.js';

/**
 * Idempotent: a second attempt finds the stored rollout and returns it, with the fleet as it is then.
 * @throws SluiceError `plan-invalid`, `route-unknown`, `candidate-unknown`, `route-owned`, `fleet-not-converged` (a member
 * did not answer), `router-unauthorized`, `ledger-unavailable`
 */
export async function openRollout(world: World, input: OpenRolloutInput): Promise<OpenRolloutResult> {
  const signal = Context.current().cancellationSignal;
  const config = world.config();
  const written = freezePlan(input.plan, { config, stable: await restingUpstream(world, input.plan) });
  const rollout = rolloutId(`${written.route}@${timeOf(input.startedAt)}`);
  const members = await world.backend.members([], signal);
  const views = await readEveryMember(world, members, written.route, signal);
  requireUpstreams(written, views);
  requireFree(rollout, input, views);
  const leftOut = unmeasurable(
    written,
    views.map(({ view }) => view),
  );
  const plan = withoutGuardrails(
    written,
    leftOut.flatMap(({ names }) => names),
  );
  const row = await world.ledger.openRollout({
    rollout,
    route: plan.route,
    plan,
    salt: await saltOf(world, rollout, written.route, input),
    seeds: seedHistograms(
      plan,
      views.map(({ view }) => view),
    ),
    startedAt: input.startedAt,
  });
  const resting = await world.ledger.routeRow(row.route);
  return {
    plan: row.plan,
    rollout: row.rollout,
    salt: row.salt,
    members,
    highestGeneration: Math.max(resting?.split.generation ?? 0, ...views.map(({ view }) => view.split.generation)),
    metering: meteringByStage(row),
    flags: flagsOf(row.plan, leftOut),
    workflowChecks: workflowChecks(row.plan, config),
  };
}

/** Of what was found, what the plan that is in force does without. */
function flagsOf({ guardrails }: Plan, leftOut: readonly Unmeasurable[]): readonly string[] {
  return leftOut.flatMap(({ names, why }) => {
    const missing = names.filter((name) => guardrails.every((one) => one.name !== name));
    return missing.length === 0 ? [] : [`${missing.join(', ')} left out: ${why}`];
  });
}

interface MemberView {
  readonly member: Member;
  readonly view: RouteView;
}

/** The stable upstream of the ledger's route row, which overrides sluice.yaml; null when there is none. */
async function restingUpstream(world: World, plan: unknown): Promise<RolloutRow['plan']['stable'] | null> {
  const route: unknown = typeof plan === 'object' && plan !== null && 'route' in plan ? plan.route : undefined;
  const rows = await world.ledger.routeRows();
  return rows.find((row) => row.route === route)?.stable ?? null;
}

/** Milliseconds stay in, so that a rollout started right after another one is not taken for it. */
function timeOf(startedAt: number): string {
  return new Date(startedAt).toISOString().replace('.000Z', 'Z');
}

async function readEveryMember(
  world: World,
  members: readonly Member[],
  route: RouteName,
  signal: AbortSignal,
): Promise<readonly MemberView[]> {
  const views: MemberView[] = [];
  const errors: SluiceError[] = [];
  await Promise.all(
    members.map(async (member) => {
      try {
        views.push({ member, view: await world.backend.readSplit(member, route, signal) });
      } catch (error) {
        signal.throwIfAborted();
        errors.push(asSluiceError(member, error));
      }
    }),
  );
  const worst = worstOf(errors);
  if (worst === null) return views;
  if (worst.code !== 'router-unreachable' && worst.code !== 'router-answer') throw worst;
  throw new SluiceError(
    'fleet-not-converged',
    `route "${route}": every router must answer before a rollout begins, ${views.length} of ${members.length} did: ${errors.map(({ message }) => message).join('; ')}`,
    { cause: worst },
  );
}

/** A router that does not know an upstream would refuse the split: said here, before anything is written. */
function requireUpstreams(plan: Plan, views: readonly MemberView[]): void {
  for (const { member, view } of views) {
    for (const upstream of [plan.candidate, plan.stable]) {
      if (view.upstreams.includes(upstream)) continue;
      throw new SluiceError(
        upstream === plan.candidate ? 'candidate-unknown' : 'config-invalid',
        `router ${member.address} does not know upstream "${upstream}": add it to that router's sluice.yaml and restart it (it knows ${view.upstreams.join(', ')})`,
      );
    }
  }
}

function requireFree(rollout: RolloutId, input: OpenRolloutInput, views: readonly MemberView[]): void {
  if (input.takeOver !== null) return;
  for (const { member, view } of views) {
    const { split } = view;
    if (isResting(split) || !view.inForce || split.rollout === rollout) continue;
    throw new SluiceError(
      'route-owned',
      `route "${view.route}" on ${member.address} is held by rollout ${split.rollout ?? 'unknown'}, generation ${split.generation}: end that one, wait for its lease, or start with --take-over --reason`,
    );
  }
}

/** The cohort: a new one, or that of the route's last rollout where the same users are to come first. */
async function saltOf(world: World, rollout: RolloutId, route: RouteName, input: OpenRolloutInput): Promise<string> {
  if (!input.sameUsers) return input.salt;
  const rows = await world.ledger.rollouts(route, 2);
  return rows.find((row) => row.rollout !== rollout)?.salt ?? input.salt;
}

function meteringByStage(row: RolloutRow): OpenRolloutResult['metering'] {
  const thresholds = seedThresholds(row.plan, row.seeds);
  return Object.fromEntries(row.plan.stages.map((stage) => [stage.name, meteringFor(row.plan, stage, thresholds)]));
}

function workflowChecks(plan: Plan, config: SluiceConfig): OpenRolloutResult['workflowChecks'] {
  const checks: Record<string, OpenRolloutResult['workflowChecks'][string]> = {};
  for (const name of new Set(plan.stages.flatMap((stage) => stage.checks))) {
    const check = config.checks.get(name);
    if (check?.kind !== 'workflow') continue;
    const { workflowType, taskQueue, timeoutMs } = check;
    checks[name] = { workflowType, taskQueue, timeoutMs };
  }
  return checks;
}
