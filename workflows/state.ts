/** The one serialisable state of a rollout: the workflow's input after continue-as-new. */
import type { MemberRef, OpenRolloutResult } from '../activities/types.js';
import type { EvidenceState, Look } from '../src/evidence/look.js';
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
}

/** A stage's own clock: it stands still while paused or held. All Unix ms or ms. */
export interface StageClock {
  readonly startedAt: number;
  /** Time that has run before `runningSince`. */
  readonly elapsedMs: number;
  /** null while the clock stands still. */
  readonly runningSince: number | null;
}

export interface RolloutState {
  readonly plan: Plan;
  readonly rollout: RolloutId;
  readonly salt: string;
  readonly by: string;
  readonly metering: OpenRolloutResult['metering'];
  readonly workflowChecks: OpenRolloutResult['workflowChecks'];
  members: readonly MemberRef[];
  generation: number;
  split: Split | null;
  stageIndex: number;
  clock: StageClock | null;
  control: 'running' | 'paused' | 'held';
  hold: Hold | null;
  /** When a pause or hold began, for the 24 h rule. */
  stoppedSince: number | null;
  /** After a stop of more than 24 h or an outage: an increase waits until evidence of this generation is fresh. */
  promoteFromGeneration: number;
  freshSince: number | null;
  evidence: EvidenceState;
  evidenceDetail: string;
  acknowledged: readonly GuardrailName[];
  flagged: readonly GuardrailName[];
  flags: readonly string[];
  /** A person approved the stage's manual gate, or asked for promotion. */
  approval: { readonly by: string; readonly reason: string } | null;
  promoteToEnd: boolean;
  look: Look | null;
  lookNumber: number;
  scheduledLooks: number;
  gates: readonly Gate[];
  commands: readonly Command[];
  /** Results of the last 32 update ids, so that a resend across continue-as-new is answered and not applied. */
  answered: readonly { readonly updateId: string; readonly result: CommandResult }[];
  decisions: readonly Decision[];
  decisionNumber: number;
  outstanding: readonly string[];
  rollingBack: { readonly reason: string; readonly by: string; readonly guardrails: readonly GuardrailName[]; readonly look: string | null } | null;
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
