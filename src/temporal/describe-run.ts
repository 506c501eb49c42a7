/** Temporal's word that a run is open: one of the three proofs without which no lease is renewed. */
import type { Connection } from '@temporalio/client';

export interface RunReference {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
}

export interface RunDescription {
  readonly open: boolean;
  /**
   * When Temporal's own clock saw the current attempt of the activity start, Unix ms; null when it is not pending. With a
   * monotonic clock this tells Temporal's time without believing the worker's.
   */
  readonly attemptStartedAt: number | null;
}

/** @throws whatever the connection throws when Temporal does not answer */
export type DescribeRun = (run: RunReference) => Promise<RunDescription>;

/** `WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING` of Temporal's API. */
const RUNNING = 1;

/** Asks over any connection, the worker's own included. `timeoutMs` bounds each question. */
export function createDescribeRun(
  connection: Pick<Connection, 'workflowService' | 'withDeadline'>,
  namespace: string,
  timeoutMs = 5_000,
): DescribeRun {
  return async (run) => {
    const answer = await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeWorkflowExecution({
        namespace,
        execution: { workflowId: run.workflowId, runId: run.runId },
      }),
    );
    const pending = (answer.pendingActivities ?? []).find((activity) => activity.activityId === run.activityId);
    return {
      open: answer.workflowExecutionInfo?.status === RUNNING,
      attemptStartedAt: toMs(pending?.lastStartedTime),
    };
  };
}

function toMs(time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  const seconds = Number(time.seconds ?? 0);
  return seconds === 0 ? null : seconds * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000);
}
