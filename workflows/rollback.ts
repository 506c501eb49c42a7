/** The way back: traffic first, until it is certain; then everything else, as well as it goes. */
import { sleep } from '@temporalio/workflow';
import type { SetSplitResult } from '../activities/types.js';
import { BEST_EFFORT, calls, heartbeatTimeoutMs } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { settleRest } from './commands.js';
import { nextLookId } from './observe.js';
import { flag, record, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { show } from './show.js';
import { restingSplit } from './splits.js';
import type { RollingBack, RolloutState } from './state.js';
import { span } from './words.js';

/**
 * Takes one rollout back to stable; `state.rollingBack` says why. It must run where no cancellation reaches it. Afterwards
 * `state.outcome` is set, and the look, the ledger's row of the route, the decision and the notification have been tried.
 */
export async function rollBack(run: Run): Promise<void> {
  const { state } = run;
  const cause = state.rollingBack;
  if (cause === null) return;
  state.outcome = null;
  settleRest(run, `${state.rollout} rolls back at ${currentStage(state).name}: ${cause.reason}`);
  show(run);
  // Without a split nothing has ever been written.
  if (state.split !== null) await reachEveryMember(run, cause);
  // Whoever sees the outcome sees its evidence: not that of an earlier look.
  const look = cause.look === null ? null : await lookBehind(run, cause.look);
  state.outcome = {
    state: cause.ends,
    at: Date.now(),
    stage: currentStage(state).name,
    reason: cause.reason,
    guardrails: cause.guardrails,
    evidence: look === null ? null : evidenceOf(state, cause),
    by: cause.by,
  };
  show(run);
  await writeDown(run, cause, look);
}

const TRIES_ABOVE = 5;

/** Done when each member has confirmed, or its last possible lease has run out. */
async function reachEveryMember(run: Run, cause: RollingBack): Promise<void> {
  const { state } = run;
  const { lease } = state.plan;
  const certainAt = lastLeaseEnds(state, cause);
  state.generation += 1;
  for (let tries = 0; ; tries += 1) {
    const split = restingSplit(state, state.generation, state.plan.stable);
    const input = { route: state.plan.route, split, members: state.members, confirm: 'reach', takeOver: null } as const;
    const summary = `back to 100% ${state.plan.stable} (generation ${split.generation}${tries === 0 ? '' : `, try ${tries + 1}`})`;
    const written = await attempt(calls(state.taskQueue).setSplit(input, summary));
    state.split = split;
    if (written.ok) {
      // Somebody has written a higher generation: at once again, above it.
      if (tookAbove(state, written.value) && tries < TRIES_ABOVE) continue;
    } else {
      state.outstanding = state.members.map(({ address }) => address);
      flag(run, written.why);
    }
    if (written.ok && state.outstanding.length === 0) return;
    // A member that keeps its split after the lease is reached by writing alone.
    const leftMs = lease.onExpiry === 'stable' ? certainAt - Date.now() : Number.POSITIVE_INFINITY;
    if (leftMs <= 0) {
      reachedByLease(run);
      return;
    }
    if (tries === 0) tell(run, 'rolling-back', `${cause.reason}; not confirmed yet: ${state.outstanding.join(', ')}`);
    show(run);
    const delayMs = Math.min(leftMs, pauseAfter(tries));
    await sleep(delayMs, {
      summary: `not confirmed yet: ${state.outstanding.length}; writes again in ${span(delayMs)}`,
    });
  }
}

/** Whether the next write goes above what somebody else has written. */
function tookAbove(state: RolloutState, { members, outstanding, highestGeneration }: SetSplitResult): boolean {
  state.members = members;
  state.outstanding = outstanding;
  if (outstanding.length === 0 || highestGeneration <= state.generation) return false;
  state.generation = highestGeneration + 1;
  return true;
}

function reachedByLease(run: Run): void {
  const { state } = run;
  for (const address of state.outstanding)
    flag(
      run,
      `${address} has not confirmed the way back; its last lease has run out, so that it serves ${state.plan.stable}`,
    );
  state.outstanding = [];
}

/**
 * On Temporal's clock alone, from what the workflow itself knows: a collector that has not yet heard of its end renews for one
 * heartbeat timeout at most after the rollback began.
 */
function lastLeaseEnds(state: RolloutState, { since }: RollingBack): number {
  return since + state.plan.lease.seconds * 1_000 + heartbeatTimeoutMs(currentStage(state));
}

/** Seconds at first, then minutes, then an hour: never given up, and never enough to fill the history. */
function pauseAfter(tries: number): number {
  if (tries < 60) return Math.min(60_000, 2_000 * 2 ** Math.min(5, tries));
  return tries < 200 ? 600_000 : 3_600_000;
}

async function writeDown(run: Run, cause: RollingBack, look: string | null): Promise<void> {
  const { state } = run;
  if (state.split !== null) {
    const { plan, split, members } = state;
    const summary = `${plan.route} rests on ${plan.stable} again`;
    const kept = await attempt(calls(state.taskQueue).reconcileRoutes({ route: plan.route, split, members }, summary));
    if (!kept.ok) flag(run, `the ledger does not know yet that ${plan.route} rests on ${plan.stable}: ${kept.why}`);
  }
  record(run, cause.ends === 'cancelled' ? 'cancel' : 'rollback', cause.by, cause.reason, look, cause.since);
  tell(run, cause.ends, `${currentStage(state).name}: ${cause.reason}`);
  show(run);
}

/** Records the look that shows why, now that the traffic is safe; its id, or null when the ledger does not answer. */
async function lookBehind(run: Run, why: NonNullable<RollingBack['look']>): Promise<string | null> {
  const { state } = run;
  const { rollout, position, promoteFromGeneration } = state;
  const { name: stage } = currentStage(state);
  const input = { rollout, stage, position, promoteFromGeneration, lookId: nextLookId(state), why };
  const summary = `${stage}: look ${state.lookNumber} (${why})`;
  const taken = await attempt(calls(state.taskQueue).assess(input, summary, BEST_EFFORT));
  if (!taken.ok) {
    flag(run, `the look behind the rollback is not recorded: ${taken.why}`);
    return null;
  }
  state.look = taken.value;
  return taken.value.id;
}

/** Evidence in a sentence: what the guardrails behind the rollback say. */
function evidenceOf(state: RolloutState, { guardrails }: RollingBack): string | null {
  const said = guardrails.flatMap((name) => {
    const guardrail = state.look?.guardrails[name];
    return guardrail === undefined ? [] : [`${name}: ${guardrail.why}`];
  });
  return said.length === 0 ? null : said.join('; ');
}
