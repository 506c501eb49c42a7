/** One rollout of the demo on a running stack, from its start to its outcome, with a live view. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutStatus } from '../../plan/status.js';
import type { Io } from '../io.js';
import type { Session } from '../session.js';
import { startRollout } from '../start-rollout.js';
import { renderStatus } from '../status-view.js';
import { isAsExpected } from './expected.js';
import type { Expected } from './expected.js';
import type { ScenarioResult } from './outcome-line.js';

export interface DemoRollout {
  readonly name: string;
  readonly expected: Expected;
  readonly plan: Readonly<Record<string, unknown>>;
  readonly config: string;
  /** Called once for each stage when it has begun. */
  readonly onStage: (stage: string) => Promise<void>;
  readonly timeoutMs: number;
  /** Redraw the live view; else one line for each stage. */
  readonly live: boolean;
}

const POLL_MS = 500;

/** Starts the rollout and follows it. A rollout that is held or takes too long is a result too, and not the expected one. */
export async function runRollout(session: Session, io: Io, rollout: DemoRollout): Promise<ScenarioResult> {
  const began = Date.now();
  const { status: first } = await startRollout(
    session,
    io,
    { written: rollout.plan },
    { config: rollout.config, by: 'demo' },
  );
  let stage = '';
  let decisive: string | null = null;
  for (;;) {
    const status = await query(session, first.route, began + rollout.timeoutMs);
    if (status.stage.name !== stage && status.stage.startedAt !== null) {
      stage = status.stage.name;
      if (!rollout.live) io.note(`${rollout.name}: ${stage} has begun (${Math.round((Date.now() - began) / 1_000)} s)`);
      await rollout.onStage(stage);
    }
    decisive = gateEvidence(status) ?? decisive;
    if (rollout.live) io.redraw(renderStatus(status, Date.now()));
    const over = Date.now() - began > rollout.timeoutMs;
    if (status.outcome !== null || status.state === 'held' || over) return resultOf(rollout, status, decisive, began);
    await delay(POLL_MS);
  }
}

/** Asked again while no worker answers: in one scenario it is killed. */
async function query(session: Session, route: string, deadline: number): Promise<RolloutStatus> {
  const handle = session.client.workflow.getHandle(`rollout/${route}`);
  for (;;) {
    try {
      return await session.client.withDeadline(Date.now() + 5_000, () => handle.query<RolloutStatus>('status'));
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}

/** Why the last stage with a choice was left: its gates' numbers; null while a gate is not safe. */
function gateEvidence(status: RolloutStatus): string | null {
  const gates = Object.entries(status.guardrails).filter(([, guardrail]) => guardrail.logE.safe !== null);
  if (gates.length === 0 || gates.some(([, guardrail]) => guardrail.verdict !== 'safe')) return null;
  return gates.map(([name, guardrail]) => `${name} safe in ${status.stage.name} (${guardrail.why})`).join('; ');
}

function resultOf(rollout: DemoRollout, status: RolloutStatus, decisive: string | null, began: number): ScenarioResult {
  const { outcome } = status;
  const state = outcome?.state ?? (status.state === 'held' ? 'held' : 'timed-out');
  const stage = outcome?.stage ?? status.stage.name;
  const guardrails = outcome?.guardrails ?? status.hold?.guardrails ?? [];
  return {
    scenario: rollout.name,
    outcome: state,
    stage,
    guardrail: guardrails[0] ?? null,
    flags: status.flags,
    evidence:
      outcome?.evidence ??
      (state === 'promoted' ? (decisive ?? lastAdvance(status)) : outcome?.reason) ??
      status.hold?.reason ??
      `still ${status.state}`,
    seconds: Math.round((Date.now() - began) / 1_000),
    asExpected: isAsExpected(rollout.expected, { outcome: state, stage, guardrails, status }),
  };
}

/** Why the stage before the last one was left: its gates may open and be passed between two polls. */
function lastAdvance({ decisions, stage }: RolloutStatus): string | null {
  const last = decisions.findLast(({ action, stage: left }) => action === 'advance' && left !== stage.name);
  return last === undefined ? null : `${last.stage}: ${last.reason}`;
}
