/** Starting a rollout: checks what can be checked here, starts the workflow, waits until its first activity took the plan. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { parseConfigFile } from '../plan/config-file.js';
import { FAILURES, SluiceError, type FailureCode } from '../plan/failures.js';
import { freezePlan } from '../plan/freeze.js';
import { routeName } from '../plan/ids.js';
import type { PositionOf } from '../plan/problem.js';
import type { RolloutStatus } from '../plan/status.js';
import type { Plan } from '../plan/types.js';
import { checkSearchAttributes } from '../temporal/search-attributes.js';
import { noWorker, pollersOf, TASK_QUEUE } from '../temporal/task-queue.js';
import type { RolloutInput } from '../../workflows/state.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';
import { openLedgerOf } from './ledger-of.js';
import type { Session } from './session.js';
import { findConfig } from './workspace.js';

export interface StartOptions extends ConfigFlag {
  readonly by?: string;
  readonly sameUsers?: true;
  readonly takeOver?: true;
  readonly reason?: string;
}

/** A plan as written, with places for its errors when it comes from a file. */
export interface PlanDocument {
  readonly written: unknown;
  readonly sourcePath?: string;
  readonly positionOf?: PositionOf;
}

/** A worker has this long to take the first activity before the command says that none is there. */
const WORKER_WITHIN_MS = 9_000;
const POLL_MS = 100;

/**
 * @throws SluiceError with every problem of the plan; `rollout-running` when the route has a live rollout; `no-worker`; or what
 *   the first activity refused
 */
export async function startRollout(
  session: Session,
  io: Io,
  document: PlanDocument,
  options: StartOptions,
): Promise<{ readonly status: RolloutStatus }> {
  const frozen = await checkHere(io, document, options);
  const route = frozen?.route ?? routeOf(document.written);
  const input: RolloutInput = {
    plan: document.written,
    by: options.by ?? io.env['USER'] ?? userInfo().username,
    sameUsers: options.sameUsers === true,
    takeOver: options.takeOver === true && options.reason !== undefined ? { reason: options.reason } : null,
    searchAttributes: await attributesRegistered(session),
  };
  const handle = await begin(session, route, input, frozen);
  return { status: await firstStatus(session, handle) };
}

/** Refuses early what the first activity would refuse; without a `sluice.yaml` here only that activity can tell. */
async function checkHere(io: Io, document: PlanDocument, options: StartOptions): Promise<Plan | null> {
  const path = findConfig(options.config, io.env, io.cwd);
  if (path === null || !existsSync(path)) return null;
  const config = parseConfigFile(path);
  const ledger = await openLedgerOf(io, options);
  try {
    const row = ledger === null ? null : await ledger.routeRow(routeOf(document.written));
    return freezePlan(document.written, { ...document, config, stable: row?.stable ?? null });
  } finally {
    await ledger?.close();
  }
}

function routeOf(written: unknown): ReturnType<typeof routeName> {
  const parsed = z.object({ route: z.string() }).safeParse(written);
  if (!parsed.success)
    throw new SluiceError('plan-invalid', 'the plan has no route: write route: NAME, the model name that clients send');
  return routeName(parsed.data.route);
}

async function attributesRegistered(session: Session): Promise<boolean> {
  try {
    return (await checkSearchAttributes(session.client.connection, session.namespace)).registered;
  } catch {
    // Temporal Cloud does not let itself be asked here; the attributes are optional.
    return false;
  }
}

async function begin(
  session: Session,
  route: string,
  input: RolloutInput,
  frozen: Plan | null,
): Promise<WorkflowHandle> {
  const start = (): Promise<WorkflowHandle> =>
    session.client.workflow.start('rollout', {
      workflowId: `rollout/${route}`,
      taskQueue: TASK_QUEUE,
      workflowIdConflictPolicy: 'FAIL',
      args: [input],
      ...(frozen === null
        ? {}
        : {
            memo: { planDigest: frozen.digest },
            staticSummary: `${frozen.route}: ${frozen.stable} to ${frozen.candidate}`,
          }),
    });
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await untilClosed(session, route, error);
  }
  return start();
}

/**
 * A rollout has its outcome, and `rollback` has returned, a moment before its workflow has written everything down.
 * @throws SluiceError `rollout-running` when it has no outcome, or does not close in time
 */
async function untilClosed(session: Session, route: string, cause: Error): Promise<void> {
  const deadline = Date.now() + WORKER_WITHIN_MS;
  const handle = session.client.workflow.getHandle(`rollout/${route}`);
  while ((await handle.describe()).status.name === 'RUNNING') {
    const state = (await queried(session, handle, deadline))?.outcome?.state ?? null;
    if (state === null) {
      throw new SluiceError(
        'rollout-running',
        `a rollout of ${route} is running already: sluice status ${route} shows it, sluice rollback ${route} ends it`,
        { cause },
      );
    }
    if (Date.now() > deadline) {
      throw new SluiceError(
        'rollout-running',
        `the last rollout of ${route} is over (${state}) and still writes down its end: start again in a minute, or see what it waits for with sluice temporal -- workflow describe --workflow-id rollout/${route}`,
        { cause },
      );
    }
    await delay(POLL_MS);
  }
}

async function firstStatus(session: Session, handle: WorkflowHandle): Promise<RolloutStatus> {
  const deadline = Date.now() + WORKER_WITHIN_MS;
  for (;;) {
    const { status: execution } = await handle.describe();
    if (execution.name === 'FAILED') throw await refusal(handle);
    const status = await queried(session, handle, deadline);
    if (status !== null) return status;
    if (Date.now() > deadline) throw await nobody(session, handle);
    await delay(POLL_MS);
  }
}

/** The state once the first activity has taken the plan; the query has nothing to answer before that. */
async function queried(session: Session, handle: WorkflowHandle, deadline: number): Promise<RolloutStatus | null> {
  try {
    return await session.client.withDeadline(deadline, () => handle.query<RolloutStatus | null>('status'));
  } catch {
    // No worker yet, or the workflow has not begun; the loop decides when that is too long.
    return null;
  }
}

async function nobody(session: Session, handle: WorkflowHandle): Promise<SluiceError> {
  const pollers = await pollersOf(session.client.connection, session.namespace);
  if (pollers.length === 0) return noWorker(session.namespace);
  const { raw } = await handle.describe();
  const failure = raw.pendingActivities?.[0]?.lastFailure?.message;
  const reason = failure ?? `the workers ${pollers.map((poller) => poller.identity).join(', ')} have not answered yet`;
  return new SluiceError(
    'no-worker',
    `the rollout was started and tries to take its plan: ${reason}; sluice status shows when it has`,
  );
}

async function refusal(handle: WorkflowHandle): Promise<Error> {
  try {
    await handle.result();
    return new Error('the rollout ended at once');
  } catch (error) {
    const cause = deepest(error);
    if (!(cause instanceof ApplicationFailure)) return error instanceof Error ? error : new Error(String(error));
    return isFailureCode(cause.type) ? new SluiceError(cause.type, cause.message, { cause: error }) : cause;
  }
}

function deepest(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && !(current instanceof ApplicationFailure) && current.cause !== undefined)
    current = current.cause;
  return current instanceof WorkflowFailedError ? current.cause : current;
}

function isFailureCode(type: string | null | undefined): type is FailureCode {
  return typeof type === 'string' && Object.hasOwn(FAILURES, type);
}
