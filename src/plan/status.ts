/** The whole public state of a rollout: the answer of the query `status` and of `sluice status --json`. */
import type { AbReading, EvidenceState, GuardrailStatus } from '../evidence/look.js';
import type { RolloutId, RouteName, StageName, UpstreamName } from './ids.js';
import type { GuardrailName, StageKind, Variant } from './types.js';

export type RolloutStateName =
  | 'running'
  | 'paused'
  | 'held'
  | 'rolling-back'
  | 'promoted'
  | 'rolled-back'
  | 'cancelled'
  | 'failed';

export interface Decision {
  /** Unix ms, the workflow's clock. */
  readonly at: number;
  readonly stage: StageName;
  readonly action:
    | 'start'
    | 'advance'
    | 'extend'
    | 'hold'
    | 'flag'
    | 'pause'
    | 'resume'
    | 'promote'
    | 'rollback'
    | 'cancel'
    | 'continue';
  /** `sluice`, or the claim of a person. */
  readonly by: string;
  readonly reason: string;
  readonly look: string | null;
}

export interface Gate {
  readonly kind: 'time' | 'evidence' | 'person' | 'window' | 'check';
  readonly open: boolean;
  readonly why: string;
}

export interface Hold {
  readonly reason: string;
  readonly since: number;
  /** Guardrails that caused it; `resume` acknowledges them. */
  readonly guardrails: readonly GuardrailName[];
}

export interface Outcome {
  readonly state: 'promoted' | 'rolled-back' | 'cancelled' | 'failed';
  readonly at: number;
  readonly stage: StageName;
  readonly reason: string;
  readonly guardrails: readonly GuardrailName[];
  /** Evidence in a sentence: numbers, interval, e-value. */
  readonly evidence: string | null;
  readonly by: string;
}

export interface RolloutStatus {
  readonly route: RouteName;
  readonly rollout: RolloutId;
  readonly state: RolloutStateName;
  readonly evidence: EvidenceState;
  readonly stage: {
    readonly name: StageName;
    readonly kind: StageKind;
    readonly index: number;
    /** Share of units on the candidate, 0..1. */
    readonly share: number;
    readonly startedAt: number | null;
    /** When the stage's own time is over if the clock runs on; null while it stands still. */
    readonly endsAt: number | null;
  };
  readonly split: {
    readonly generation: number;
    readonly weights: Readonly<Record<Variant, number>>;
    readonly mirror: { readonly variant: Variant; readonly share: number };
    readonly upstreams: { readonly stable: UpstreamName; readonly candidate: UpstreamName | null };
  };
  readonly guardrails: Readonly<Partial<Record<GuardrailName, GuardrailStatus>>>;
  /** What the running ab stage has found by the last look; absent in stages of another kind. */
  readonly ab?: AbReading | null;
  readonly flags: readonly string[];
  readonly hold: Hold | null;
  readonly gates: readonly Gate[];
  readonly decisions: readonly Decision[];
  /** Members that have not confirmed the split in force; named while rolling back. */
  readonly outstanding: readonly string[];
  readonly outcome: Outcome | null;
  /** Set by the command line when it had to fall back to the ledger's last state. */
  readonly from?: 'ledger';
}
