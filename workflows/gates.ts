/** What must open before a stage ends, and why it is closed: pure. */
import type { EvidenceState, Look } from '../src/evidence/look.js';
import type { Gate } from '../src/plan/status.js';
import type { AbPlan, StagePlan } from '../src/plan/types.js';
import { decidedOn, endingOf, recommendation } from './ab.js';
import type { AbFinding } from './ab.js';
import type { Approval } from './state.js';
import { percent, span } from './words.js';

/** Above this share of incomplete intervals a person is asked. */
const INCOMPLETE = 0.05;
/** Above this share of late requests a person is asked. */
const LATE = 0.01;

export interface GateSituation {
  readonly stage: StagePlan;
  readonly evidence: EvidenceState;
  readonly evidenceDetail: string;
  readonly look: Look | null;
  readonly elapsedMs: number;
  /** Where an undecided stage ends, on its own clock. */
  readonly deadlineMs: number;
  /** False while an increase waits for fresh evidence after a long stop or an outage. */
  readonly fresh: boolean;
  readonly approval: Approval | null;
  /** What follows from a winner of an ab stage. */
  readonly winner: AbPlan['winner'];
  /** Findings of an ab stage for which it was held before. */
  readonly heard: readonly AbFinding[];
}

/** The stage's own gates. Calendar window and checks come from outside and are asked last. */
export function gatesOf(at: GateSituation): readonly Gate[] {
  return [...timeGate(at), evidenceGate(at), ...personGate(at)];
}

function timeGate({ stage, elapsedMs, approval }: GateSituation): readonly Gate[] {
  // It ends as soon as it is decided.
  if (stage.kind === 'ab') return [];
  if (elapsedMs >= stage.durationMs) return [opened('time', `its ${span(stage.durationMs)} are over`)];
  if (approval !== null) return [opened('time', `passed over by ${approval.by}: ${approval.reason}`)];
  return [closed('time', `${span(elapsedMs)} of ${span(stage.durationMs)}`)];
}

function evidenceGate(at: GateSituation): Gate {
  const { stage, evidence, look, approval } = at;
  if (evidence !== 'ok')
    return closed('evidence', `${evidence}${at.evidenceDetail === '' ? '' : `: ${at.evidenceDetail}`}`);
  if (!at.fresh) return closed('evidence', 'fresh evidence is awaited: one full interval past warm-up after the stop');
  if (approval !== null) return opened('evidence', `passed over by ${approval.by}: ${approval.reason}`);
  const doubt = doubtOf(look);
  if (look === null || doubt !== null) return closed('evidence', doubt ?? waitingFor(look));
  const found = decidedOn(at);
  if (found !== null)
    return endingOf(found, at.winner) === 'pass'
      ? opened('evidence', `ab: ${found.why}`)
      : closed('evidence', recommendation(found));
  if (look.promote.open) return opened('evidence', 'every guardrail that gates is safe');
  if (stage.onUndecided === 'advance' && at.elapsedMs >= at.deadlineMs && sawEnough(stage, look))
    return opened('evidence', `undecided without harm; the plan advances: ${waitingFor(look)}`);
  return closed('evidence', waitingFor(look));
}

/** Why the look is nothing to go by, whatever it says; null when it is. */
export function doubtOf(look: Look | null): string | null {
  if (look === null) return 'no look has been taken yet';
  if (look.incompleteShare > INCOMPLETE)
    return `${percent(look.incompleteShare)} of the stage's intervals are incomplete: see why, then promote or extend`;
  if (look.lateShare > LATE)
    return `${percent(look.lateShare)} of the stage's requests came late: see why, then promote or extend`;
  // Looks of an earlier version say nothing of it.
  if (typeof look.dominance === 'string') return `${look.dominance}: see why, then promote or extend`;
  return null;
}

function personGate({ stage, approval }: GateSituation): readonly Gate[] {
  if (stage.gate === 'auto') return [];
  return approval === null
    ? [closed('person', 'the plan asks for a person: promote')]
    : [opened('person', `approved by ${approval.by}: ${approval.reason}`)];
}

/**
 * Whether the stage has seen the least that any promotion without a person needs: the plan's requests of the candidate, and
 * some of stable where there is a control. No evidence at all never advances.
 */
export function sawEnough(stage: StagePlan, look: Look | null): boolean {
  if (look === null) return false;
  const controlled = stage.weights.stable !== 0 || stage.mirror.share !== 0;
  return look.requests.candidate >= Math.max(1, stage.minRequests) && (!controlled || look.requests.stable >= 1);
}

/** What the evidence still lacks, in a sentence. */
export function waitingFor(look: Look | null): string {
  if (look === null) return 'no look has been taken yet';
  const { waiting } = look.promote;
  return waiting.length === 0
    ? 'promotion is not supported yet'
    : waiting.map(({ guardrail, why }) => `${guardrail}: ${why}`).join('; ');
}

function opened(kind: Gate['kind'], why: string): Gate {
  return { kind, open: true, why };
}

function closed(kind: Gate['kind'], why: string): Gate {
  return { kind, open: false, why };
}
