/** The end of a promotion: the route rests on its new upstream. */
import { calls } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { settleRest, takeCommands } from './commands.js';
import { continueWhenSuggested } from './continue.js';
import { hold } from './hold.js';
import { interruptible } from './interruptible.js';
import { record, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { show } from './show.js';
import { restingSplit, upstreamAtTheEnd } from './splits.js';
import { untilWoken, waitBeforeRetry } from './waiting.js';
import { refuseWhileRollingBack } from './write-stage-split.js';

const TRIES_ABOVE = 5;

/**
 * Writes the resting split to the ledger's row of the route and to every member, until all have confirmed. What does not
 * succeed holds the rollout, is tried again by itself, and at once when a person resumes.
 * @throws RollBack when a person asks for it first
 */
export async function promote(run: Run): Promise<void> {
  const { state } = run;
  const upstream = upstreamAtTheEnd(state);
  let above = 0;
  for (;;) {
    takeCommands(run);
    show(run);
    await continueWhenSuggested(run);
    if (state.control === 'paused') {
      await untilWoken(run, () => false);
      continue;
    }
    if (state.failures > 0 && state.control === 'held' && (await waitBeforeRetry(run, () => false))) continue;
    refuseWhileRollingBack(run);
    state.generation += 1;
    const split = restingSplit(state, state.generation, upstream);
    const written = await interruptible(run, () =>
      attempt(
        calls(state.taskQueue).reconcileRoutes(
          { route: state.plan.route, split, members: state.members },
          `${state.plan.route} rests on ${upstream} (generation ${split.generation})`,
        ),
      ),
    );
    if (written === null) continue;
    if (written.ok) {
      state.split = split;
      state.members = written.value.members;
      state.generation = Math.max(state.generation, written.value.highestGeneration);
      state.outstanding = written.value.outstanding;
      if (state.outstanding.length === 0) break;
      // Somebody has written a higher generation: at once again, above it.
      if (state.generation > split.generation && above < TRIES_ABOVE) {
        above += 1;
        continue;
      }
    }
    state.failures += 1;
    hold(
      run,
      written.ok ? `the end of the promotion is not confirmed by ${state.outstanding.join(', ')}` : written.why,
    );
  }
  finish(run, `${state.plan.route} rests on ${upstream}`);
}

function finish(run: Run, text: string): void {
  const { state } = run;
  const { by, reason } = state.finishing ?? { by: 'sluice', reason: 'every stage has passed' };
  state.control = 'running';
  state.hold = null;
  state.outcome = {
    state: 'promoted',
    at: Date.now(),
    stage: currentStage(state).name,
    reason: `${text}: ${reason}`,
    guardrails: [],
    evidence: null,
    by,
  };
  record(run, 'promote', by, `${text}: ${reason}`);
  tell(run, 'promoted', `${text}: ${reason}`);
  settleRest(run, `${state.rollout} has just ended, promoted`);
  show(run);
}
