/** The frame of every pipeline: whatever happens inside, the way back pre-empts it. */
import { allHandlersFinished, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { queuedRollback } from './commands.js';
import { emptyOutbox } from './outbox.js';
import { RollBack } from './roll-back-error.js';
import { rollBack } from './rollback.js';
import type { Run } from './run.js';
import type { RollingBack } from './state.js';

/**
 * Runs a pipeline of one rollout or several. A rollback that one of them decides on, or that a person asks for, or that a
 * cancellation from outside stands for, ends the pipeline wherever it is and takes all of them back. Returns when everything
 * is written down and every message answered.
 *
 * @throws CancelledFailure after the way back, when the workflow was cancelled
 */
export async function orRollBack(runs: readonly Run[], pipeline: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  try {
    await scope.run(() => Promise.race([pipeline(), untilRollbackAsked(runs)]));
  } catch (error) {
    if (!(error instanceof RollBack) && !isCancellation(error)) throw error;
    const cause = causeOf(error);
    // Said before the scope is cancelled: nothing that wakes up in it may raise traffic any more.
    for (const { state } of runs) state.rollingBack = cause;
    scope.cancel();
    await CancellationScope.nonCancellable(async () => {
      await Promise.all(runs.map(rollBack));
      await allSaid(runs);
    });
    if (cause.cancelled) throw error;
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

function causeOf(error: unknown): RollingBack {
  const since = Date.now();
  if (error instanceof RollBack) {
    const { by, reason, guardrails, look } = error;
    return { by, reason, guardrails, look, cancelled: false, since };
  }
  const reason = 'the workflow was cancelled from outside';
  return { by: 'whoever cancelled it', reason, guardrails: [], look: null, cancelled: true, since };
}

async function allSaid(runs: readonly Run[]): Promise<void> {
  await Promise.all(runs.map(emptyOutbox));
  // A client that waits for an answer would be told that the workflow is gone.
  await condition(allHandlersFinished);
}
