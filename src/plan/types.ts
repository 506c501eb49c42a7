/**
 * The frozen plan: everything resolved, every duration in milliseconds, every share a fraction.
 * Plain JSON, so that the workflow can carry it and never has to parse or compute.
 */
import type { RouteName, StageName, UpstreamName } from './ids.js';

export type Variant = 'stable' | 'candidate';

export type StageKind = 'validate' | 'shadow' | 'canary' | 'ab' | 'flip';

/** What a stage asks for promotion: `early` only whether there is harm, `late` whether the candidate is as good. */
export type LadderStep = 'early' | 'middle' | 'late';

/** What happens when a stage's time is over and its evidence for promotion is not in. */
export type OnUndecided = 'advance' | 'extend' | 'hold';

/** A calendar window in which a stage may begin its increase of traffic; times are in `timeZone`. */
export type CalendarWindow =
  /** `days` are ISO numbers, 1 Monday to 7 Sunday; the end is excluded, and one before the start is in the next day. */
  | {
      readonly kind: 'weekly';
      readonly days: readonly number[];
      readonly fromMinute: number;
      readonly toMinute: number;
      readonly timeZone: string;
    }
  | { readonly kind: 'rrule'; readonly rule: string; readonly durationMs: number; readonly timeZone: string };

export interface StagePlan {
  readonly name: StageName;
  readonly kind: StageKind;
  /** Shares of units, precomputed so that the workflow never subtracts floats; sum 1. */
  readonly weights: Readonly<Record<Variant, number>>;
  readonly mirror: { readonly variant: Variant; readonly share: number };
  /** `for`: the exact time of the stage on its own clock, ms. */
  readonly durationMs: number;
  /** `maxFor`: where `extend` ends in a hold, ms, at least `durationMs`. */
  readonly maxDurationMs: number;
  /** Requests of the candidate that promotion needs at least. */
  readonly minRequests: number;
  readonly gate: 'auto' | 'manual';
  readonly onUndecided: OnUndecided;
  /** Scheduled looks on the stage's clock, ms from its start, ascending, at most 24, geometric, the first within seconds. */
  readonly lookTimesMs: readonly number[];
  readonly intervalMs: number;
  readonly warmupMs: number;
  readonly feedbackHorizonMs: number;
  readonly window: CalendarWindow | null;
  /** Names of `checks` in `sluice.yaml` that must pass before the stage ends. */
  readonly checks: readonly string[];
  /** π of statistics.md §10.3: the share of the restart mixture given to this stage; Σ over stages ≤ 1. */
  readonly mixtureShare: number;
  readonly ladder: LadderStep;
}

export type GuardrailName =
  | 'error_rate'
  | 'latency_p50'
  | 'latency_p95'
  | 'ttft_p50'
  | 'ttft_p95'
  | 'cache_hit_rate'
  | 'feedback'
  | 'refusal_rate'
  | 'divergence'
  | 'judge'
  | 'abort_rate'
  | 'response_rate'
  | 'tokens_per_response'
  | 'sample_ratio';

export type GuardrailAction = 'rollback' | 'hold' | 'flag';

interface GuardrailBase {
  readonly name: GuardrailName;
  readonly action: GuardrailAction;
  /** Weight within the family of its action; the weights of a family sum to 1. */
  readonly weight: number;
}

/** A bad event per trial: errors, refusals, cache misses, thumbs down. Limit and margins are ratios of its odds or rate. */
export interface RateGuardrail extends GuardrailBase {
  readonly kind: 'rate';
  /** Odds ratio of the bad event beyond which the candidate breaches (r_R). */
  readonly limit: number;
  /** Both directions are a breach (refusals, aborts, response rate). */
  readonly twoSided: boolean;
  /** The effect most worth catching, in nats of log odds ratio (d*). */
  readonly typicalEffect: number;
  /** Promotion margins: the larger of the ladder's ratio and the absolute margin; null = never a promote gate. */
  readonly promote: { readonly ratios: Readonly<Record<LadderStep, number>>; readonly absolute: number } | null;
}

/** Ratio of a quantile of latency or time to first token. */
export interface QuantileGuardrail extends GuardrailBase {
  readonly kind: 'quantile';
  readonly signal: 'latency' | 'ttft';
  /** 0.5 or 0.95. */
  readonly quantile: number;
  /** Ratio of quantiles beyond which the candidate breaches. */
  readonly limit: number;
  readonly histogram: HistogramSpec;
  /** Buckets by which the limit shifts the threshold; exactly `ln limit / ln gamma`. */
  readonly limitShift: number;
  readonly typicalEffect: number;
  /** Promotion margins as bucket shifts; null = never a promote gate. */
  readonly promote: { readonly shifts: Readonly<Record<LadderStep, number>> } | null;
}

/** Ratio of token counts by cuts at several quantiles (statistics.md §5.2). */
export interface CutsGuardrail extends GuardrailBase {
  readonly kind: 'cuts';
  readonly signal: 'tokens';
  readonly quantiles: readonly number[];
  readonly limit: number;
  readonly histogram: HistogramSpec;
  readonly limitShift: number;
  readonly typicalEffect: number;
}

/**
 * Ratings of users: thumbs, scores from 1 to 5, or both. A score is cut at each place; a thumb counts at every cut
 * (statistics.md §5.1). Tested once the feedback horizon of its stage is over.
 */
export interface FeedbackGuardrail extends GuardrailBase {
  readonly kind: 'feedback';
  /** Odds ratio of a bad rating beyond which the candidate breaches. */
  readonly limit: number;
  readonly typicalEffect: number;
  /** As of a rate, around stable's own share of bad ratings at each cut; null = never a promote gate. */
  readonly promote: RateGuardrail['promote'];
}

/** Assignments against the split (statistics.md §6); alarms at E ≥ 1/alpha on its own, outside the families. */
export interface SampleRatioGuardrail extends GuardrailBase {
  readonly kind: 'sample-ratio';
  readonly alpha: number;
}

export type Guardrail = RateGuardrail | QuantileGuardrail | CutsGuardrail | FeedbackGuardrail | SampleRatioGuardrail;

/** How a plan's `ab` stages end. */
export interface AbPlan {
  /** The guardrail of the plan on which a winner is called. */
  readonly primary: GuardrailName;
  /** What follows from a winner: a person hears the recommendation, or the rollout acts on it. */
  readonly winner: 'recommend' | 'act';
}

/** Logarithmic histogram: bucket i holds (xMin·gamma^(i-1), xMin·gamma^i]. */
export interface HistogramSpec {
  readonly gamma: number;
  readonly xMin: number;
}

export interface Plan {
  readonly version: 1;
  readonly route: RouteName;
  readonly stable: UpstreamName;
  readonly candidate: UpstreamName;
  readonly preset: string | null;
  readonly stages: readonly StagePlan[];
  readonly guardrails: readonly Guardrail[];
  /** α of the rollback family for the whole rollout, all stages, all looks. */
  readonly falseRollback: number;
  readonly falseHold: number;
  readonly falseFlag: number;
  /** α_P of each promote gate. */
  readonly falsePromote: number;
  readonly requestTimeoutMs: number;
  readonly lease: { readonly seconds: number; readonly onExpiry: 'stable' | 'keep' };
  /** Null without an `ab` stage. */
  readonly ab: AbPlan | null;
  /** Names of `webhooks` in `sluice.yaml`; empty = none. */
  readonly notify: readonly string[];
  /** sha256 (hex) of the canonical JSON of everything above. */
  readonly digest: string;
}
