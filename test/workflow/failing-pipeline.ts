/** A pipeline of a team's own that fails between two stages, for the tests of the way back. */
import { ApplicationFailure } from '@temporalio/workflow';
import { listen, open, orRollBack, runStage } from '../../workflows/parts.js';

export async function failingPipeline(plan: unknown): Promise<void> {
  const run = await open(listen(), { plan, by: 'ann' });
  await orRollBack([run], async () => {
    await runStage(run);
    throw ApplicationFailure.nonRetryable('the second region is not there', 'no-region');
  });
}
