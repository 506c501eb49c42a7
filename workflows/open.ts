/** The beginning of a rollout: the plan is checked, the fleet is read, nothing is written to a router. */
import { ActivityFailure, ApplicationFailure, upsertMemo, uuid4 } from '@temporalio/workflow';
import type { OpenRolloutResult } from '../activities/types.js';
import { calls } from './activity-proxies.js';
import { join } from './messages.js';
import type { Messages } from './messages.js';
import type { Run } from './run.js';
import type { RolloutInput, RolloutState } from './state.js';

export interface OpenOptions {
  /** Where this rollout's activities run; default the workflow's own queue. A region has a queue of its own. */
  readonly taskQueue?: string;
}

/**
 * Opens a rollout and hands it the messages. One that was continued has been there since `listen`.
 * @throws ApplicationFailure of `openRollout`, by the table of failures: nothing has been touched yet, and the workflow fails
 */
export async function open(messages: Messages, input: RolloutInput, options: OpenOptions = {}): Promise<Run> {
  if (input.kind === 'continue') {
    const [continued = join(messages, input.state, input.searchAttributes)] = messages.runs;
    return continued;
  }
  const run = join(messages, await start(input, options.taskQueue ?? null), input.searchAttributes);
  upsertMemo(memoOf(run.state));
  return run;
}

/** What the workflow's memo says, in each of its runs. */
export function memoOf({ rollout, plan, by }: RolloutState): Readonly<Record<string, string>> {
  const { digest: planDigest, stable, candidate } = plan;
  return { rollout, planDigest, stable, candidate, startedBy: by };
}

async function start(
  input: Exclude<RolloutInput, { kind: 'continue' }>,
  taskQueue: string | null,
): Promise<RolloutState> {
  const by = typeof input.by === 'string' && input.by !== '' ? input.by : 'somebody';
  const takeOver = input.takeOver ?? null;
  const opened = await openRollout(
    {
      plan: input.plan,
      startedAt: Date.now(),
      salt: uuid4(),
      by,
      sameUsers: input.sameUsers === true,
      takeOver,
    },
    taskQueue,
  );
  return newState(opened, by, takeOver, taskQueue);
}

async function openRollout(
  input: Parameters<ReturnType<typeof calls>['openRollout']>[0],
  taskQueue: string | null,
): Promise<OpenRolloutResult> {
  try {
    return await calls(taskQueue).openRollout(input, `check the plan, ask the fleet (by ${input.by})`);
  } catch (error) {
    // The client sees the failure itself, with its code as type.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) throw error.cause;
    throw error;
  }
}

function newState(
  { plan, rollout, salt, members, highestGeneration, metering, workflowChecks, flags = [] }: OpenRolloutResult,
  by: string,
  takeOver: RolloutState['takeOver'],
  taskQueue: string | null,
): RolloutState {
  return {
    plan,
    rollout,
    salt,
    by,
    metering,
    workflowChecks,
    taskQueue,
    takeOver,
    members,
    generation: highestGeneration,
    split: null,
    splitConfirmed: false,
    stageIndex: 0,
    clock: null,
    deadlineMs: null,
    control: 'running',
    hold: null,
    stoppedSince: null,
    promoteFromGeneration: 0,
    freshSince: null,
    // Until the first evidence is in there is none.
    evidence: 'no-traffic',
    evidenceDetail: 'nothing has been seen yet',
    position: { closedThrough: 0 },
    acknowledged: [],
    flagged: [],
    flags,
    approval: null,
    promoteToEnd: false,
    kept: false,
    finishing: null,
    look: null,
    lookedAt: 0,
    lookNumber: 0,
    scheduledLooks: 0,
    gates: [],
    gateTries: 0,
    failures: 0,
    commands: [],
    answered: [],
    decisions: [],
    decisionNumber: 0,
    outstanding: [],
    rollingBack: null,
    outcome: null,
  };
}
