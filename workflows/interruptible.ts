import { CancellationScope, condition } from '@temporalio/workflow';
import type { Run } from './run.js';

/**
 * Waits for a call, but no longer than until a command comes or `wake` is true: then the call is cancelled and the answer is
 * null. `wake` must be pure.
 */
export async function interruptible<T>(
  run: Run,
  call: () => Promise<T>,
  wake: () => boolean = () => false,
): Promise<T | null> {
  const scope = new CancellationScope();
  const woken = async (): Promise<null> => {
    await condition(() => run.state.commands.length > 0 || wake());
    return null;
  };
  try {
    return await scope.run(() => Promise.race([call(), woken()]));
  } finally {
    // Whichever is still waiting: the call, or the condition.
    scope.cancel();
  }
}
