/** Decisions and notifications: said at once, written in the background, waited for only at the end of the run. */
import { CancellationScope, log } from '@temporalio/workflow';
import type { NotifyInput } from '../activities/types.js';
import type { Decision } from '../src/plan/status.js';
import { calls } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { statusOf } from './status.js';

/** Decisions that the state carries along; the ledger keeps all. */
const KEPT_DECISIONS = 200;
/** Remarks for people that the state carries along. */
const KEPT_FLAGS = 50;

/** Writes a decision into the state, and into the ledger in the background. */
export function record(
  run: Run,
  action: Decision['action'],
  by: string,
  reason: string,
  look: string | null = null,
  at: number = Date.now(),
): void {
  const { state } = run;
  const decision: Decision = { at, stage: currentStage(state).name, action, by, reason, look };
  state.decisionNumber += 1;
  state.decisions = [...state.decisions, decision].slice(-KEPT_DECISIONS);
  const sequence = state.decisionNumber;
  send(run, async () => {
    const written = await attempt(
      calls(state.taskQueue).recordDecision(
        { rollout: state.rollout, sequence, decision, status: statusOf(state) },
        `${decision.stage}: ${action}, ${reason}`,
      ),
    );
    if (!written.ok) flag(run, `decision ${sequence} (${action}) is not in the ledger: ${written.why}`);
  });
}

/** Tells people in the background; without webhooks in the plan there is nobody to tell. */
export function tell(run: Run, event: NotifyInput['event'], text: string): void {
  const { state } = run;
  if (state.plan.notify.length === 0) return;
  const { plan, rollout, taskQueue } = state;
  const stage = currentStage(state).name;
  send(run, async () => {
    const told = await attempt(
      calls(taskQueue).notify(
        { rollout, route: plan.route, webhooks: plan.notify, event, stage, text },
        `${event}: ${text}`,
      ),
    );
    if (!told.ok) flag(run, `nobody was told "${event}": ${told.why}`);
  });
}

/** Adds a remark to the public state. */
export function flag(run: Run, text: string): void {
  log.warn(text);
  if (!run.state.flags.includes(text)) run.state.flags = [...run.state.flags, text].slice(-KEPT_FLAGS);
}

/** Waits until everything said so far is written or given up. */
export async function emptyOutbox(run: Run): Promise<void> {
  while (run.outbox.size > 0) await Promise.all(run.outbox);
}

function send(run: Run, write: () => Promise<void>): void {
  // Neither a rollback nor a cancellation from outside takes back what has been decided.
  const sending = CancellationScope.nonCancellable(write).finally(() => run.outbox.delete(sending));
  run.outbox.add(sending);
}
