import type { Guardrail } from '../../plan/types.js';
import type { CutsSnapshot } from './cuts-tracker.js';
import type { FeedbackSnapshot } from './feedback-tracker.js';
import type { IntervalBatch } from './interval-batch.js';
import type { QuantileSnapshot } from './quantile-tracker.js';
import type { RateSnapshot } from './rate-tracker.js';
import type { ResponseRateSnapshot } from './response-rate-tracker.js';
import type { SampleRatioSnapshot } from './sample-ratio-tracker.js';

/** What a guardrail's evidence says of one stage, before families and gates are asked. */
export interface GuardrailEvidence {
  /** What was seen, in words: `errors 1.1% against 1.0%`. */
  readonly seen: string;
  /** What there is and is not tested, or not yet, in words; absent or null = all is. */
  readonly untested?: string | null;
  /** ln of the e-values towards the action over the rollout, and towards promotion in the stage. */
  readonly logE: { readonly breach: number; readonly safe: number | null };
  readonly stable: number | null;
  readonly candidate: number | null;
  readonly ratio: number | null;
  /** Confidence sequence of the stage as an odds ratio; null = unbounded on that side. */
  readonly interval: readonly [number | null, number | null];
  /** By what the stage's evidence is divided for users who resemble themselves; absent = 1. */
  readonly designEffect?: number;
  readonly n: { readonly stable: number; readonly candidate: number };
  /** Why a test cannot speak yet, in words; null = it can. */
  readonly waits: string | null;
  /** Requests of both variants together that promotion still needs at the rates seen; null = unknowable or never. */
  readonly remaining: number | null;
}

/** One guardrail's state: what each kind of guardrail implements, and all that families and gates know of it. */
export interface GuardrailTracker {
  readonly guardrail: Guardrail;
  /** Uses the records of one interval end. They were checked; batches come in order. */
  absorb(batch: IntervalBatch): void;
  /** ln E_m over the whole rollout, towards the guardrail's action, now. Nats. */
  logBreach(): number;
  /** It is a promote gate of this stage. */
  gates(stageIndex: number): boolean;
  /** Evidence of one stage; for promotion only from a generation on. `alphaPromote` is α_P, for the forecast. */
  read(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): GuardrailEvidence;
  snapshot(): TrackerSnapshot;
}

export type TrackerSnapshot =
  | RateSnapshot
  | ResponseRateSnapshot
  | FeedbackSnapshot
  | QuantileSnapshot
  | CutsSnapshot
  | SampleRatioSnapshot;
