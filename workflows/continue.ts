import { allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow';
import { emptyOutbox } from './outbox.js';
import type { Run } from './run.js';

/**
 * Goes on in a new run with the same state when Temporal suggests it, and then does not return. Never with a message
 * unanswered or a command in the queue: a rollback that is waiting is taken here and now.
 */
export async function continueWhenSuggested(run: Run): Promise<void> {
  if (run.continueAs === undefined || !workflowInfo().continueAsNewSuggested) return;
  await emptyOutbox(run);
  await condition(allHandlersFinished);
  // No await from here to the end of the run: nothing can come in between.
  if (run.state.commands.length > 0) return;
  await run.continueAs(run.state);
}
