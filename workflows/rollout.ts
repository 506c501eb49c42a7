import { ApplicationFailure, continueAsNew } from '@temporalio/workflow';
import type { Outcome } from '../src/plan/status.js';
import { advance } from './advance.js';
import { listen } from './messages.js';
import { open } from './open.js';
import { orRollBack } from './or-roll-back.js';
import { promote } from './promote.js';
import { runStage } from './run-stage.js';
import type { RolloutInput } from './state.js';

/** Takes a route from its stable upstream to a candidate, stage by stage, as its plan says. A rollback is a result too. */
export async function rollout(input: RolloutInput): Promise<Outcome> {
  const { searchAttributes = false } = input;
  const messages = listen();
  const run = await open(messages, input);
  run.continueAs = (state) => continueAsNew<typeof rollout>({ kind: 'continue', state, searchAttributes });

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
