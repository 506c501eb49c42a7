import { randomUUID } from 'node:crypto';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { SluiceError } from '../plan/failures.js';
import type { RouteName } from '../plan/ids.js';
import type { CommandInput, CommandName, CommandResult } from '../../workflows/state.js';
import type { Session } from './session.js';

/**
 * Sends a command as an update and returns the workflow's answer. Where no worker answers, a rollback is left as a signal, which
 * the first worker that comes takes before anything else.
 *
 * @param withinMs how long the workflow may take to answer
 * @throws SluiceError `rollout-unknown`, `not-applicable` with the workflow's own words, or `no-worker`
 */
export async function sendCommand(
  session: Session,
  route: RouteName,
  name: CommandName,
  input: CommandInput,
  withinMs: number,
): Promise<CommandResult> {
  const handle = session.client.workflow.getHandle(`rollout/${route}`);
  try {
    return await session.client.withDeadline(Date.now() + withinMs, () =>
      handle.executeUpdate<CommandResult, [CommandInput]>(name, { args: [input], updateId: randomUUID() }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      throw new SluiceError('not-applicable', error.cause?.message ?? error.message, { cause: error });
    }
    if (error instanceof WorkflowNotFoundError) {
      throw new SluiceError('rollout-unknown', `no rollout of ${route} is running; sluice list shows those that are`, {
        cause: error,
      });
    }
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
    if (name === 'rollback') {
      await handle.signal<[CommandInput]>(name, input);
      throw new SluiceError(
        'no-worker',
        `no worker answers on ${session.target}: the rollback waits there as a signal and is taken first when one comes; start one with sluice worker`,
        { cause: error },
      );
    }
    throw new SluiceError(
      'no-worker',
      `no worker answers on ${session.target} in time: start one with sluice worker, then ask again`,
      { cause: error },
    );
  }
}
