/** Gates that look outside: the stage's calendar window and the user's own checks. */
import { SluiceError } from '../src/plan/failures.js';
import type { Gate } from '../src/plan/status.js';
import { windowState } from './calendar-window.js';
import type { World } from './dependencies.js';
import { beating } from './heartbeat.js';
import { runCheck } from './run-check.js';
import type { CheckSubject } from './run-check.js';
import { stageOf, storedRollout } from './stored-rollout.js';
import type { CheckGatesInput, CheckGatesResult } from './types.js';

/**
 * Asks the window and runs the URL and command checks of a stage, in parallel. Checks that are workflows are the
 * pipeline's own to run and are left out.
 * @throws SluiceError `rollout-unknown`, `config-invalid` (sluice.yaml has lost a check that the plan names)
 */
export async function checkGates(world: World, input: CheckGatesInput): Promise<CheckGatesResult> {
  const { signal, stop } = beating();
  try {
    const row = await storedRollout(world, input.rollout);
    const stage = stageOf(row, input.stage);
    const subject = { route: row.route, rollout: row.rollout, stage: stage.name };
    const window = stage.window === null ? null : windowState(stage.window, input.now);
    const checks = await Promise.all(stage.checks.map((name) => checkGate(world, name, subject, signal)));
    const gates = checks.filter((gate) => gate !== null);
    if (window === null) return { gates, opensAt: null };
    return { gates: [windowGate(window.open, window.opensAt), ...gates], opensAt: window.opensAt };
  } finally {
    stop();
  }
}

function windowGate(open: boolean, opensAt: number | null): Gate {
  if (open) return { kind: 'window', open, why: 'the calendar window is open' };
  const when = opensAt === null ? 'never opens again' : `opens at ${new Date(opensAt).toISOString()}`;
  return { kind: 'window', open, why: `the calendar window is closed and ${when}` };
}

async function checkGate(world: World, name: string, subject: CheckSubject, signal: AbortSignal): Promise<Gate | null> {
  const check = world.config().checks.get(name);
  if (check === undefined) {
    throw new SluiceError(
      'config-invalid',
      `checks in sluice.yaml has no "${name}", which stage ${subject.stage} of ${subject.rollout} waits for: add it again`,
    );
  }
  if (check.kind === 'workflow') return null;
  const outcome = await runCheck(check, subject, world.env, signal);
  return { kind: 'check', open: outcome.pass, why: `check "${name}": ${outcome.why}` };
}
