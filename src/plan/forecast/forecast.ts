/** What a forecast says: the shape that `sluice forecast --json` prints. Times in seconds but where a name says ms. */
import type { GuardrailAction, GuardrailName, OnUndecided, StageKind } from '../types.js';
import type { StageName, RouteName } from '../ids.js';
import type { Baseline } from './baseline.js';
import type { Simulation } from './simulation/simulate-plan.js';

export interface Forecast {
  readonly route: RouteName;
  readonly requestsPerSecond: number;
  /** What was assumed of the stable model, by guardrail. */
  readonly baselines: Readonly<Partial<Record<GuardrailName, Baseline>>>;
  /** α: the chance that a rollout that changes nothing is rolled back, over all guardrails, stages and looks, is at most this. */
  readonly falseRollback: number;
  readonly stages: readonly StageForecast[];
  /** What the real assessment made of drawn evidence; null when none was drawn. */
  readonly simulation: Simulation | null;
}

export interface StageForecast {
  readonly stage: StageName;
  readonly kind: StageKind;
  readonly durationMs: number;
  /** When it ends at the latest, its extension included. */
  readonly deadlineMs: number;
  readonly onUndecided: OnUndecided;
  /** Requests of both variants that are compared, and the candidate's share of them; 0 where nothing is compared. */
  readonly comparedPerSecond: number;
  readonly candidateShare: number;
  /** When the evidence for promotion is in, with a chance of 80%, when nothing changed; null = never, or no gate. */
  readonly promote: {
    readonly requests: number;
    readonly seconds: number;
    readonly slowest: GateForecast['gate'];
  } | null;
  readonly gates: readonly GateForecast[];
  readonly guardrails: Readonly<Partial<Record<GuardrailName, GuardrailForecast>>>;
  /** Null but in an ab stage. */
  readonly ab: AbForecast | null;
}

/** When an ab stage ends by itself; times with a chance of 80%. */
export interface AbForecast {
  readonly primary: GuardrailName;
  /** When there is none; `seconds` null = the primary has no margin, or never. */
  readonly noDifference: AbSight;
  /** When the candidate is `ratio` times worse; about as long when it is as much better. */
  readonly apart: readonly (AbSight & { readonly ratio: number })[];
}

export interface AbSight {
  /** Compared requests of both variants. */
  readonly requests: number | null;
  readonly seconds: number | null;
  /** Before the stage's deadline. */
  readonly inTime: boolean;
}

export interface GateForecast {
  readonly gate: GuardrailName | 'min_requests';
  /** Compared requests of both variants; null = never. */
  readonly requests: number | null;
  readonly seconds: number | null;
  /** It opens before the stage's deadline. */
  readonly inTime: boolean;
}

export interface GuardrailForecast {
  readonly action: GuardrailAction;
  readonly sees: readonly SightForecast[];
  /** The smallest times worse that the stage's own time shows with a chance of 80%; null = none. */
  readonly smallestRatio: number | null;
}

/** When a stage sees that the candidate is `ratio` times worse, if it is so from the stage's beginning. */
export interface SightForecast {
  readonly ratio: number;
  /** With a chance of 80%: compared requests of both variants, and how long they take; null = never. */
  readonly requests: number | null;
  readonly seconds: number | null;
  /** Bad events beyond stable's until then, on average, among the candidate's requests. */
  readonly extraBadEvents: number | null;
  /** Of these, how many somebody waited for: none while requests are only mirrored. */
  readonly extraBadEventsServed: number | null;
  readonly inTime: boolean;
}
