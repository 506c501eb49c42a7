/** A look: one recorded assessment. A few kilobytes of verdicts; profiles stay in the ledger. */
import type { RolloutId, StageName } from '../plan/ids.js';
import type { GuardrailAction, GuardrailName } from '../plan/types.js';

export type Verdict = 'safe' | 'undecided' | 'breached';

/** No evidence is no verdict: none but `ok` promotes, and none rolls back by itself. */
export type EvidenceState = 'ok' | 'no-traffic' | 'source-down' | 'router-not-converged' | 'clock-skew';

/** State of one guardrail, as `status --json` and `analyze` print it. */
export interface GuardrailStatus {
  readonly verdict: Verdict;
  /** One sentence with the numbers that decide. */
  readonly why: string;
  readonly action: GuardrailAction;
  /** Natural logs of the e-values: `breach` towards the action, `safe` towards promotion (null: no such test). */
  readonly logE: { readonly breach: number | null; readonly safe: number | null };
  /** Descriptive, of the current stage: a rate of bad events, or the quantile in ms. */
  readonly stable: number | null;
  readonly candidate: number | null;
  readonly ratio: number | null;
  /** Confidence sequence as an odds ratio of the bad event; null bound = unbounded on that side. */
  readonly interval: readonly [number | null, number | null];
  readonly n: { readonly stable: number; readonly candidate: number };
  /** What `safe` still needs, at the traffic of the last minutes; null = nothing or unknowable. */
  readonly needs: { readonly requests: number; readonly seconds: number | null } | null;
}

/** How far the evidence has been used: every interval ended at or before `closedThrough`. */
export interface EvidencePosition {
  readonly closedThrough: number;
}

/** A family reached its bound, at this interval; the first one is final whatever is read later. */
export interface Crossing {
  readonly family: GuardrailAction;
  readonly guardrails: readonly GuardrailName[];
  /** True when the closed test named them; else they lead. */
  readonly named: boolean;
  readonly stage: StageName;
  readonly intervalEnd: number;
  readonly logE: number;
  /** Candidate requests of the rollout up to here. */
  readonly requests: number;
}

/** A plain limit beside the tests, labelled so: the candidate fails outright. */
export interface HardStop {
  readonly candidate: { readonly started: number; readonly failed: number };
  readonly stable: { readonly started: number; readonly failed: number };
}

/** What an `ab` stage has found on the plan's primary guardrail. */
export interface AbReading {
  readonly primary: GuardrailName;
  readonly finding: 'candidate-better' | 'stable-better' | 'no-difference' | 'undecided';
  /** ln of the e-values: that the candidate is worse, that it is better, that it is inside the margin both ways. */
  readonly logE: { readonly worse: number; readonly better: number; readonly inside: number | null };
  /** One sentence with the numbers that decide. */
  readonly why: string;
}

/** What the assessment says of the current stage at a position; pure function of plan, ledger and position. */
export interface AssessmentReading {
  readonly stage: StageName;
  readonly position: EvidencePosition;
  readonly guardrails: Readonly<Partial<Record<GuardrailName, GuardrailStatus>>>;
  /** First crossings of each family over the whole rollout, latched. */
  readonly crossings: Readonly<Record<GuardrailAction, Crossing | null>>;
  /** Promotion counts evidence of this generation and later ones; with it a look can be computed again. Absent = all. */
  readonly promoteFromGeneration?: number;
  readonly promote: {
    /**
     * Every gate guardrail is safe now and the candidate's requests reach the minimum. Of an ab stage: its primary has
     * decided, to whichever side, and the requests reach the minimum.
     */
    readonly open: boolean;
    /** Guardrails that still wait, with what they need. */
    readonly waiting: readonly { readonly guardrail: GuardrailName | 'min_requests'; readonly why: string }[];
  };
  /** Requests of this stage. */
  readonly requests: { readonly stable: number; readonly candidate: number };
  /** Share of this stage's intervals that were incomplete, 0..1; above 5% a person is asked. */
  readonly incompleteShare: number;
  readonly lateShare: number;
  /** Few users speak for a variant (statistics.md §8.3), in a sentence: a person is asked. Null = not so. */
  readonly dominance: string | null;
  /** Null but in an `ab` stage. */
  readonly ab: AbReading | null;
}

export interface Look extends AssessmentReading {
  readonly id: string;
  readonly rollout: RolloutId;
  /** Unix ms of the worker that recorded it; for people, never for a test. */
  readonly at: number;
  readonly why: 'scheduled' | 'crossing' | 'hard-stop' | 'evidence-state' | 'deadline' | 'promote' | 'daily';
}
