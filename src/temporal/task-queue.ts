/** Is a worker there? Asked before a command waits for an answer that nobody will give. */
import type { Connection } from '@temporalio/client';
import { SluiceError } from '../plan/failures.js';

/** The task queue of every sluice workflow. */
export const TASK_QUEUE = 'sluice';

/** A poll lasts a minute; a worker that has not asked for longer is gone. */
const POLL_AGE_MS = 70_000;

/** `TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW_TYPE = 1;

export interface Poller {
  readonly identity: string;
  /** Since its last poll, ms by the two clocks of server and caller. */
  readonly ageMs: number;
}

/** Workers that asked this queue for workflow tasks within the last poll's length. */
export async function pollersOf(
  connection: Pick<Connection, 'workflowService' | 'withDeadline'>,
  namespace: string,
  taskQueue: string = TASK_QUEUE,
): Promise<readonly Poller[]> {
  const answer = await connection.withDeadline(Date.now() + 5_000, () =>
    connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TYPE,
    }),
  );
  return (answer.pollers ?? [])
    .map((poller) => ({
      identity: poller.identity ?? 'unknown',
      ageMs: Date.now() - Number(poller.lastAccessTime?.seconds ?? 0) * 1_000,
    }))
    .filter((poller) => poller.ageMs <= POLL_AGE_MS);
}

/** The failure that a command prints when nobody polls. */
export function noWorker(namespace: string, taskQueue: string = TASK_QUEUE): SluiceError {
  return new SluiceError(
    'no-worker',
    `no worker polls task queue "${taskQueue}" in namespace ${namespace}: start one with "sluice worker" (or everything with "sluice up"); what was sent is kept until then`,
  );
}
