/** The one serialisable state of a rollout: the workflow's input after continue-as-new. */
import type { MemberRef, OpenRolloutResult } from '../activities/types.js';
import type { AbReading, EvidencePosition, EvidenceState, Look } from '../src/evidence/look.js';
import type { RolloutId } from '../src/plan/ids.js';
import type { Decision, Gate, Hold, Outcome } from '../src/plan/status.js';
import type { Split } from '../src/plan/split.js';
import type { GuardrailName, Plan } from '../src/plan/types.js';

/** What a person asked for; `by` is a claim. */
export interface CommandInput {
  readonly by: string;
  readonly reason: string;
  /** Compare-and-set: refused (update) or ignored (signal) when the rollout is at another stage. */
  readonly stage?: string;
  /** Of `promote`: the next stage (default), or the end. */
  readonly to?: 'next' | 'end';
}

export type CommandName = 'pause' | 'resume' | 'promote' | 'rollback';

export interface Command {
  readonly name: CommandName;
  readonly input: CommandInput;
  /** Update id, for the ring that makes a resend harmless; null for a signal. */
  readonly updateId: string | null;
}

/** Answer of an update: where the rollout stands after the command was taken. */
export interface CommandResult {
  readonly accepted: true;
  readonly state: string;
  readonly stage: string;
  /** The command had been taken before under the same id. */
  readonly repeated: boolean;
  /** What happens now, in a sentence. */
  readonly note: string;
}

/** A stage's own clock: it stands still while paused or held. All Unix ms or ms. */
export interface StageClock {
  readonly startedAt: number;
  /** Time that has run before `runningSince`. */
  readonly elapsedMs: number;
  /** null while the clock stands still. */
  readonly runningSince: number | null;
}

/** A person's word that stands for the time and evidence gates of a stage, and for its manual gate. */
export interface Approval {
  readonly by: string;
  readonly reason: string;
}

/** Why a rollout goes back; set before the first write, so that nothing increases traffic any more. */
export interface RollingBack {
  readonly reason: string;
  readonly by: string;
  readonly guardrails: readonly GuardrailName[];
  /** What the look that shows the evidence is recorded for; null when a person asked. */
  readonly look: 'hard-stop' | 'crossing' | 'promote' | null;
  /** How the rollout ends; a workflow that was cancelled or has failed does so after the way back. */
  readonly ends: 'rolled-back' | 'cancelled' | 'failed';
  readonly since: number;
}

export interface RolloutState {
  readonly plan: Plan;
  readonly rollout: RolloutId;
  readonly salt: string;
  readonly by: string;
  readonly metering: OpenRolloutResult['metering'];
  readonly workflowChecks: OpenRolloutResult['workflowChecks'];
  /** Where this rollout's activities run; null = the workflow's own queue. */
  readonly taskQueue: string | null;
  /** Until the first write is confirmed: replaces another rollout's split. */
  takeOver: { readonly reason: string } | null;
  members: readonly MemberRef[];
  generation: number;
  split: Split | null;
  /** Every member has confirmed `split`. */
  splitConfirmed: boolean;
  stageIndex: number;
  clock: StageClock | null;
  /** Where on the stage's clock an undecided stage holds (or advances, as the plan says); null before it begins. */
  deadlineMs: number | null;
  control: 'running' | 'paused' | 'held';
  hold: Hold | null;
  /** When a pause or hold began, for the 24 h rule. */
  stoppedSince: number | null;
  /** Evidence for promotion counts from this generation on. */
  promoteFromGeneration: number;
  /** After a stop of more than 24 h or an outage: an increase waits for a full interval past warm-up from here. */
  freshSince: number | null;
  evidence: EvidenceState;
  evidenceDetail: string;
  /** How far the evidence has been collected, looked at or not. */
  position: EvidencePosition;
  acknowledged: readonly GuardrailName[];
  flagged: readonly GuardrailName[];
  flags: readonly string[];
  /** Findings of the current ab stage for which it was held: it does not hold for them again. Absent = none. */
  heard?: readonly AbReading['finding'][];
  /** A person approved the stage's manual gate, or asked for promotion. */
  approval: Approval | null;
  promoteToEnd: boolean;
  /** A pipeline of several rollouts keeps this one where it is while another goes forward. */
  kept: boolean;
  /** No stage is left: the resting split is being written. */
  finishing: Approval | null;
  look: Look | null;
  /** When `look` was taken, Unix ms of the workflow's clock. */
  lookedAt: number;
  lookNumber: number;
  scheduledLooks: number;
  gates: readonly Gate[];
  /** How often the calendar window and checks of this stage have been asked without success. */
  gateTries: number;
  /** How often in a row an activity ran out of attempts: the next try waits longer. */
  failures: number;
  commands: readonly Command[];
  /** Results of the last 32 update ids, so that a resend across continue-as-new is answered and not applied. */
  answered: readonly { readonly updateId: string; readonly result: CommandResult }[];
  decisions: readonly Decision[];
  decisionNumber: number;
  outstanding: readonly string[];
  rollingBack: RollingBack | null;
  outcome: Outcome | null;
}

/** Input of the workflow `rollout`. */
export type RolloutInput =
  | {
      readonly kind?: 'start';
      /** The plan as written in its file, or `{ route, candidate, stages }` typed into the Web UI. */
      readonly plan: unknown;
      readonly by?: string;
      readonly sameUsers?: boolean;
      readonly takeOver?: { readonly reason: string } | null;
      readonly searchAttributes?: boolean;
    }
  | { readonly kind: 'continue'; readonly state: RolloutState; readonly searchAttributes?: boolean };
