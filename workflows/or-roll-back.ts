/** The frame of every pipeline: whatever happens inside, the way back pre-empts it. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  TemporalFailure,
} from '@temporalio/workflow';
import { queuedRollback } from './commands.js';
import { emptyOutbox } from './outbox.js';
import { RollBack } from './roll-back-error.js';
import { rollBack } from './rollback.js';
import type { Run } from './run.js';
import type { RollingBack } from './state.js';

/**
 * Runs a pipeline of one rollout or several. A rollback that one of them decides on, or that a person asks for, or that a
 * cancellation from outside or a failure of the pipeline itself stands for, ends the pipeline wherever it is and takes all of
 * them back. Returns when everything is written down and every message answered.
 *
 * @throws CancelledFailure after the way back, when the workflow was cancelled; the failure, when the pipeline has failed
 */
export async function orRollBack(runs: readonly Run[], pipeline: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  try {
    await scope.run(() => Promise.race([pipeline(), untilRollbackAsked(runs)]));
  } catch (error) {
    const cause = causeOf(error);
    // Going on in a new run, or a mistake in the code, which a deploy mends: Temporal tries the task again.
    if (cause === null) throw error;
    // Said before the scope is cancelled: nothing that wakes up in it may raise traffic any more.
    for (const { state } of runs) state.rollingBack = cause;
    scope.cancel();
    await CancellationScope.nonCancellable(async () => {
      await Promise.all(runs.map(rollBack));
      await allSaid(runs);
    });
    if (cause.ends !== 'rolled-back') throw error;
    return;
  }
  // What is left over is the wait for a rollback that nobody asked for.
  scope.cancel();
  await CancellationScope.nonCancellable(() => allSaid(runs));
}

async function untilRollbackAsked(runs: readonly Run[]): Promise<never> {
  await condition(() => runs.some(({ state }) => queuedRollback(state) !== null));
  const [asked] = runs.flatMap(({ state }) => queuedRollback(state) ?? []);
  throw asked === undefined ? new RollBack('somebody', 'no reason given') : RollBack.asked(asked);
}

function causeOf(error: unknown): RollingBack | null {
  const since = Date.now();
  if (error instanceof RollBack) {
    const { by, reason, guardrails, look } = error;
    return { by, reason, guardrails, look, ends: 'rolled-back', since };
  }
  if (isCancellation(error)) {
    const reason = 'the workflow was cancelled from outside';
    return { by: 'whoever cancelled it', reason, guardrails: [], look: null, ends: 'cancelled', since };
  }
  if (!(error instanceof TemporalFailure)) return null;
  const reason = `the pipeline has failed: ${error.message}`;
  return { by: 'sluice', reason, guardrails: [], look: null, ends: 'failed', since };
}

async function allSaid(runs: readonly Run[]): Promise<void> {
  await Promise.all(runs.map(emptyOutbox));
  // A client that waits for an answer would be told that the workflow is gone.
  await condition(allHandlersFinished);
}
