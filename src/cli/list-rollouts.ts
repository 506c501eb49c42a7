import type { Client } from '@temporalio/client';
import { routeName } from '../plan/ids.js';
import type { RouteName } from '../plan/ids.js';

export interface RolloutListing {
  readonly route: RouteName;
  readonly runId: string;
  /** `running`, `completed`, `cancelled`, `failed`, `terminated`, … as Temporal has it. */
  readonly execution: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

const PREFIX = 'rollout/';

/** Rollouts as Temporal lists them, newest first; only those running unless `all`. A chain of runs is one rollout: its newest run. */
export async function listRollouts(
  client: Client,
  options: { readonly all: boolean },
): Promise<readonly RolloutListing[]> {
  const which = options.all ? `ExecutionStatus != 'ContinuedAsNew'` : `ExecutionStatus = 'Running'`;
  const rows: RolloutListing[] = [];
  for await (const info of client.workflow.list({ query: `WorkflowType = 'rollout' AND ${which}` })) {
    if (!info.workflowId.startsWith(PREFIX)) continue;
    rows.push({
      route: routeName(info.workflowId.slice(PREFIX.length)),
      runId: info.runId,
      execution: info.status.name.toLowerCase().replaceAll('_', '-'),
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
    });
  }
  return rows.sort((left, right) => right.startedAt.localeCompare(left.startedAt));
}
