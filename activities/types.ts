/** Inputs and results of the activities: the contract between the workflow and the world. Plain JSON. */
import type { AbReading, Crossing, EvidencePosition, EvidenceState, HardStop, Look } from '../src/evidence/look.js';
import type { RolloutId, RouteName, StageName } from '../src/plan/ids.js';
import type { Split } from '../src/plan/split.js';
import type { Decision, Gate, RolloutStatus } from '../src/plan/status.js';
import type { GuardrailName, Plan } from '../src/plan/types.js';

/** A router of the fleet as the workflow remembers it. */
export interface MemberRef {
  readonly address: string;
  readonly tokenEnv: string;
}

export interface OpenRolloutInput {
  /** The plan as written, or already frozen: checked again, since a workflow can be started without the command line. */
  readonly plan: unknown;
  /** The workflow's start, Unix ms: names the rollout. */
  readonly startedAt: number;
  /** A uuid of the workflow's: the salt of a rollout that asks for a new cohort. */
  readonly salt: string;
  readonly by: string;
  /** Keep the salt of the route's last rollout, so that the same users come first. */
  readonly sameUsers: boolean;
  readonly takeOver: { readonly reason: string } | null;
}

export interface OpenRolloutResult {
  readonly plan: Plan;
  readonly rollout: RolloutId;
  readonly salt: string;
  readonly members: readonly MemberRef[];
  /** Highest generation that any member holds; the first split is this + 1. */
  readonly highestGeneration: number;
  /** Metering of each stage, by stage name: what to measure, with thresholds from stable's own meter. */
  readonly metering: Readonly<Record<string, Split['metering']>>;
  /** For people: guardrails that were left out of the plan since this route has nothing that they measure. */
  readonly flags?: readonly string[];
  /** Checks of `sluice.yaml` that are workflows of the user's own; the others run in `checkGates`. */
  readonly workflowChecks: Readonly<
    Record<string, { readonly workflowType: string; readonly taskQueue: string; readonly timeoutMs: number }>
  >;
}

export interface SetSplitInput {
  readonly route: RouteName;
  readonly split: Split;
  readonly members: readonly MemberRef[];
  /**
   * `all`: throws a retryable failure until every member has confirmed (any increase).
   * `reach`: writes to every member in parallel and reports who is outstanding (rollback). A member where another rollout's
   * split is in force serves nothing of this one: it is not outstanding.
   */
  readonly confirm: 'all' | 'reach';
  readonly takeOver: { readonly reason: string } | null;
}

export interface SetSplitResult {
  /** All members seen so far, the remembered ones included. */
  readonly members: readonly MemberRef[];
  readonly confirmed: readonly string[];
  /** For `all` members that hold this generation with another body, or a higher one: write again above `highestGeneration`. */
  readonly outstanding: readonly string[];
  /** A member holds a higher generation: the next write must use more than this. */
  readonly highestGeneration: number;
}

/** What the collector is to do until it returns. */
export interface SampleTrafficInput {
  readonly rollout: RolloutId;
  readonly route: RouteName;
  readonly stage: StageName;
  /** The split in force: members that hold another generation are mended with exactly this. */
  readonly split: Split;
  readonly members: readonly MemberRef[];
  /** Evidence state that the workflow knows; a change of it returns. */
  readonly evidence: EvidenceState;
  /** Promotion counts evidence of this generation and later ones of the stage (fresh start after an outage). */
  readonly promoteFromGeneration: number;
  /**
   * Return when all promote gates are open: the stage's own time is over, or a person waits for evidence. In an ab stage:
   * when it is decided.
   */
  readonly untilPromotable: boolean;
  /** Findings of an ab stage that a person has heard of: it returns for another one. */
  readonly heard?: readonly AbReading['finding'][];
  /** Crossings that the workflow has dealt with already (held and acknowledged, or flagged). */
  readonly ignore: { readonly hold: readonly GuardrailName[]; readonly flag: readonly GuardrailName[] };
  /** Flags that the workflow has told already: with it given, a new flag returns at once. */
  readonly flags?: readonly string[];
  /** Return after this long at the latest (deadline or scheduled look), counted from when the first attempt was scheduled, ms. */
  readonly forMs: number;
  readonly reason: 'deadline' | 'scheduled' | 'daily';
}

export interface SampleTrafficResult {
  readonly reason: Look['why'];
  readonly position: EvidencePosition;
  readonly evidence: EvidenceState;
  /** What the evidence state means here: which member, which clock. */
  readonly detail: string;
  readonly crossing: Crossing | null;
  readonly hardStop: HardStop | null;
  readonly members: readonly MemberRef[];
  readonly highestGeneration: number;
  /** Members whose lease ran out: the split is not in force there. */
  readonly expired: readonly string[];
  /**
   * For how long the split had not been in force where it was out for longest, ms, by that router's own clock (its `now` less
   * the lease's end); the stage's clock is set back by as much. Absent or 0 when none expired.
   */
  readonly notInForceMs?: number;
  /** Flags for people that the collector raised, such as `no-way-back`. */
  readonly flags: readonly string[];
}

export interface AssessInput {
  readonly rollout: RolloutId;
  readonly stage: StageName;
  readonly position: EvidencePosition;
  readonly promoteFromGeneration: number;
  /** Fixed before the call, so that a retry records the same look: `<rollout>/<stage>/<number>`. */
  readonly lookId: string;
  readonly why: Look['why'];
}

export interface CheckGatesInput {
  readonly rollout: RolloutId;
  readonly stage: StageName;
  /** Unix ms by Temporal's clock. */
  readonly now: number;
}

export interface CheckGatesResult {
  readonly gates: readonly Gate[];
  /** When a closed calendar window opens next, Unix ms. */
  readonly opensAt: number | null;
}

export interface ReconcileRoutesInput {
  readonly route: RouteName;
  /** The resting split to keep in the ledger's `route` row and on every member. */
  readonly split: Split;
  readonly members: readonly MemberRef[];
}

export interface NotifyInput {
  readonly rollout: RolloutId;
  readonly route: RouteName;
  readonly webhooks: readonly string[];
  readonly event:
    | 'started'
    | 'advanced'
    | 'waiting'
    | 'held'
    | 'flagged'
    | 'evidence'
    | 'rolling-back'
    | 'rolled-back'
    | 'promoted'
    | 'cancelled'
    | 'failed';
  readonly stage: StageName;
  readonly text: string;
}

export interface RecordDecisionInput {
  readonly rollout: RolloutId;
  readonly sequence: number;
  readonly decision: Decision;
  readonly status: RolloutStatus;
}

export interface Activities {
  openRollout(input: OpenRolloutInput): Promise<OpenRolloutResult>;
  setSplit(input: SetSplitInput): Promise<SetSplitResult>;
  sampleTraffic(input: SampleTrafficInput): Promise<SampleTrafficResult>;
  assess(input: AssessInput): Promise<Look>;
  checkGates(input: CheckGatesInput): Promise<CheckGatesResult>;
  reconcileRoutes(input: ReconcileRoutesInput): Promise<SetSplitResult>;
  notify(input: NotifyInput): Promise<{ readonly delivered: readonly string[]; readonly failed: readonly string[] }>;
  recordDecision(input: RecordDecisionInput): Promise<void>;
}
