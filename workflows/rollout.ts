import { ApplicationFailure, makeContinueAsNewFunc } from '@temporalio/workflow';
import type { Outcome } from '../src/plan/status.js';
import { advance } from './advance.js';
import { listen } from './messages.js';
import { memoOf, open } from './open.js';
import { orRollBack } from './or-roll-back.js';
import { promote } from './promote.js';
import { runStage } from './run-stage.js';
import type { RolloutInput } from './state.js';

/** Takes a route from its stable upstream to a candidate, stage by stage, as its plan says. A rollback is a result too. */
export async function rollout(started?: RolloutInput | null): Promise<Outcome> {
  // Started by hand without input, it fails in the words of the plan's check.
  const input = started ?? { plan: undefined };
  const { searchAttributes = false } = input;
  const messages = listen(input);
  const run = await open(messages, input);
  run.continueAs = (state) =>
    makeContinueAsNewFunc<typeof rollout>({ memo: memoOf(state) })({ kind: 'continue', state, searchAttributes });

  await orRollBack([run], async () => {
    while (run.state.finishing === null) {
      await runStage(run);
      advance(run);
    }
    await promote(run);
  });

  if (run.state.outcome !== null) return run.state.outcome;
  throw ApplicationFailure.nonRetryable(`${run.state.rollout} has ended without an outcome`);
}
