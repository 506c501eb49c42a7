/** Calendar window, checks of `sluice.yaml` and checks that are workflows of the user's own, asked while the guardrails go on. */
import {
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import type { Gate } from '../src/plan/status.js';
import type { StagePlan } from '../src/plan/types.js';
import { calls, CHECKS } from './activity-proxies.js';
import { attempt } from './attempt.js';
import type { Attempt } from './attempt.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';

/** How long a pass counts: asked again when the stage has not ended by then. */
const PASS_COUNTS_MS = 60_000;
const FIRST_RECHECK_MS = 60_000;
const LAST_RECHECK_MS = 3_600_000;

/** One round of questions; fills itself in. */
export interface OutsideGates {
  answer: Attempt<readonly Gate[]> | null;
  /** When to ask again, Unix ms; null while asking. */
  recheckAt: number | null;
}

export function hasOutsideGates(stage: StagePlan): boolean {
  return stage.window !== null || stage.checks.length > 0;
}

/** Starts a round; it ends with the scope it is started in. */
export function askOutsideGates(run: Run): OutsideGates {
  const round: OutsideGates = { answer: null, recheckAt: null };
  void fillIn(run, round);
  return round;
}

async function fillIn(run: Run, round: OutsideGates): Promise<void> {
  try {
    const { gates, opensAt } = await askAll(run);
    const now = Date.now();
    const open = gates.ok && gates.value.every((gate) => gate.open);
    round.recheckAt = open ? now + PASS_COUNTS_MS : Math.max(now + 1_000, opensAt ?? now + recheckAfter(run));
    round.answer = gates;
  } catch (error) {
    // The stage has been left: nobody waits for the answer.
    if (!isCancellation(error)) throw error;
  }
}

async function askAll(run: Run): Promise<{ gates: Attempt<readonly Gate[]>; opensAt: number | null }> {
  const { state } = run;
  const stage = currentStage(state);
  const input = { rollout: state.rollout, stage: stage.name, now: Date.now() };
  const asked = await attempt(calls(state.taskQueue).checkGates(input, `${stage.name}: window and checks`, CHECKS));
  if (!asked.ok) return { gates: asked, opensAt: null };
  const workflows = stage.checks.filter((name) => state.workflowChecks[name] !== undefined);
  // Outside the window a user's workflow is not worth its cost.
  const rest = asked.value.gates.every((gate) => gate.open)
    ? await Promise.all(workflows.map((name) => askWorkflow(run, name)))
    : [];
  return { gates: { ok: true, value: [...asked.value.gates, ...rest] }, opensAt: asked.value.opensAt };
}

/** Runs a user's own workflow; it passes when it returns `{ pass: true }`, and fails nothing when it fails. */
async function askWorkflow({ state }: Run, name: string): Promise<Gate> {
  const check = state.workflowChecks[name];
  if (check === undefined) return { kind: 'check', open: false, why: `${name} is not in sluice.yaml` };
  const stage = currentStage(state);
  try {
    const answer: unknown = await executeChild(check.workflowType, {
      workflowId: `${workflowInfo().workflowId}/check/${name}/${stage.name}/${state.lookNumber}-${state.gateTries}`,
      taskQueue: check.taskQueue,
      workflowExecutionTimeout: check.timeoutMs,
      cancellationType: ChildWorkflowCancellationType.TRY_CANCEL,
      staticSummary: `check ${name} of ${state.rollout}, ${stage.name}`,
      args: [{ route: state.plan.route, rollout: state.rollout, stage: stage.name, candidate: state.plan.candidate }],
    });
    const open = passes(answer);
    return { kind: 'check', open, why: open ? `${name} passed` : `${name} did not return { pass: true }` };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ChildWorkflowFailure)) throw error;
    return { kind: 'check', open: false, why: `${name} failed: ${rootCause(error) ?? error.message}` };
  }
}

function passes(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'pass' in answer && answer.pass === true;
}

/** Twice as long after each try, from a minute to an hour. */
function recheckAfter({ state }: Run): number {
  state.gateTries += 1;
  return Math.min(LAST_RECHECK_MS, FIRST_RECHECK_MS * 2 ** Math.min(10, state.gateTries - 1));
}
