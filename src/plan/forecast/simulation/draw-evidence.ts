/** Evidence as routers would report it, drawn: whole records whose counts have the distributions that are assumed. */
import { PAIRED, SERVED } from '../../../evidence/record.js';
import type { EvidenceRecord, Histogram, Rate, StoredRating } from '../../../evidence/record.js';
import { rolloutId } from '../../ids.js';
import type { RolloutId } from '../../ids.js';
import type { CutsGuardrail, GuardrailName, Plan, QuantileGuardrail, StagePlan, Variant } from '../../types.js';
import { baselineOf } from '../baseline.js';
import type { Baselines, RateBaseline } from '../baseline.js';
import { drawBinomial, drawMultinomial } from './binomial.js';
import { drawRatings } from './draw-ratings.js';
import type { RatingShares } from './draw-ratings.js';
import type { Random } from './random.js';
import type { StageSlice } from './stage-slices.js';
import { valueShares } from './value-shares.js';
import type { ValueShares } from './value-shares.js';

/** How many times worse the candidate is on one guardrail, from a stage on. */
export interface Regression {
  readonly guardrail: GuardrailName;
  readonly ratio: number;
  /** Index in the plan. */
  readonly fromStage: number;
}

export interface DrawInput {
  readonly requestsPerSecond: number;
  readonly baselines: Baselines;
  readonly regression: Regression | null;
}

/** Rates that a record holds, and so can be drawn. */
const DRAWN_RATES = {
  error_rate: 'error',
  refusal_rate: 'refusal',
  cache_hit_rate: 'cacheMiss',
  abort_rate: 'aborted',
} as const satisfies Readonly<Partial<Record<GuardrailName, string>>>;

type DrawnRate = keyof typeof DRAWN_RATES;

interface Values {
  /** Guardrails that cut the signal alike share the draw. */
  readonly names: readonly GuardrailName[];
  readonly guardrail: QuantileGuardrail | CutsGuardrail;
  readonly share: number;
  readonly of: (ratio: number) => ValueShares;
}

/** Guardrails of which no evidence is drawn: they stand still in a simulation. */
export function notDrawn(plan: Plan): readonly GuardrailName[] {
  return plan.guardrails
    .filter(({ kind, name }) => kind === 'rate' && name !== 'response_rate' && !isDrawnRate(name))
    .map(({ name }) => name);
}

/** Draws one rollout's evidence, stage after stage. */
export class EvidenceDraw {
  readonly #plan: Plan;
  readonly #input: DrawInput;
  readonly #random: Random;
  readonly #rollout: RolloutId;
  readonly #values: readonly Values[];
  /** Fractions of requests that rounding left over, by stage. */
  #left = 0;
  #stageStart = 0;

  constructor(plan: Plan, input: DrawInput, random: Random) {
    this.#plan = plan;
    this.#input = input;
    this.#random = random;
    this.#rollout = rolloutId(`${plan.route}@1970-01-01T00:00:00Z`);
    this.#values = valuesOf(plan, input.baselines);
  }

  /** The next stage begins where the last slice ended, or later. */
  beginStage(startMs: number): void {
    this.#stageStart = startMs;
    this.#left = 0;
  }

  slice(stageIndex: number, slice: StageSlice): readonly EvidenceRecord[] {
    const stage = this.#plan.stages[stageIndex];
    if (stage === undefined) throw new RangeError(`the plan has no stage of index ${stageIndex}`);
    const exact = (this.#input.requestsPerSecond * (slice.endMs - slice.startMs)) / 1000 + this.#left;
    const requests = Math.floor(exact);
    this.#left = exact - requests;
    const candidate = drawBinomial(requests, stage.weights.candidate, this.#random);
    const served: Readonly<Record<Variant, number>> = { stable: requests - candidate, candidate };
    const mirrored = drawBinomial(requests, stage.mirror.share, this.#random);
    const records: EvidenceRecord[] = [];
    for (const variant of ['stable', 'candidate'] as const) {
      // A mirrored stage has one variant that serves: its mirrored requests are paired with their copies.
      const paired = stage.mirror.share > 0 ? mirrored : 0;
      const alone = served[variant] - (variant === stage.mirror.variant ? 0 : paired);
      if (paired > 0) records.push(this.#record(stageIndex, stage, slice, variant, PAIRED, paired));
      if (alone > 0) records.push(this.#record(stageIndex, stage, slice, variant, SERVED, alone));
    }
    return records;
  }

  /** Ratings that the requests of such records earn; none where the plan compares none. */
  ratings(stageIndex: number, records: readonly EvidenceRecord[]): readonly StoredRating[] {
    const stage = this.#plan.stages[stageIndex];
    if (!this.#plan.guardrails.some(({ name }) => name === 'feedback' || name === 'response_rate')) return [];
    return records.flatMap((record) =>
      stage === undefined || isCopy(stage, record.variant)
        ? []
        : drawRatings(record, this.#ratingShares(stageIndex, record.variant), this.#random),
    );
  }

  #ratingShares(stageIndex: number, variant: Variant): RatingShares {
    const feedback = this.#rateOf('feedback');
    const response = this.#rateOf('response_rate')?.rate ?? feedback?.share ?? 0;
    return {
      rated: Math.min(1, response * this.#ratio('response_rate', stageIndex, variant)),
      bad: Math.min(1, (feedback?.rate ?? 0) * this.#ratio('feedback', stageIndex, variant)),
    };
  }

  #rateOf(name: GuardrailName): RateBaseline | null {
    const guardrail = this.#plan.guardrails.find((one) => one.name === name);
    const baseline = guardrail === undefined ? null : baselineOf(guardrail, this.#input.baselines);
    return baseline?.kind === 'rate' ? baseline : null;
  }

  #record(
    stageIndex: number,
    stage: StagePlan,
    slice: StageSlice,
    variant: Variant,
    stratum: string,
    trials: number,
  ): EvidenceRecord {
    const errors = this.#events('error_rate', trials, stageIndex, variant);
    const complete = trials - (errors?.events ?? 0);
    const refusal = this.#events('refusal_rate', complete, stageIndex, variant);
    const cacheMiss = this.#events('cache_hit_rate', complete, stageIndex, variant);
    return {
      rollout: this.#rollout,
      generation: stageIndex + 1,
      stage: stage.name,
      intervalStart: this.#stageStart + slice.startMs,
      stratum,
      variant,
      replica: 'drawn',
      process: 'drawn',
      revision: 1,
      intervalMs: slice.endMs - slice.startMs,
      warmup: slice.warmup,
      started: trials,
      completed: trials,
      aborted: this.#events('abort_rate', trials, stageIndex, variant)?.events ?? 0,
      late: 0,
      dropped: {},
      incomplete: false,
      error: errors ?? { trials, events: 0 },
      errorsByClass: {},
      ...(refusal && { refusal }),
      ...(cacheMiss && { cacheMiss }),
      histograms: this.#histograms(trials, stageIndex, variant),
      tokens: { prompt: 0, cached: 0, completion: 0, responses: 0 },
      buckets: {},
      // Copies of requests are not assigned; nobody drawn has a unit.
      ...(!isCopy(stage, variant) && { assigned: { units: [], alone: trials } }),
    };
  }

  /** Null when the plan does not compare it. */
  #events(name: DrawnRate, requests: number, stageIndex: number, variant: Variant): Rate | null {
    const baseline = this.#rateOf(name);
    if (baseline === null) return null;
    const trials = Math.round(requests * baseline.share);
    const rate = Math.min(1, baseline.rate * this.#ratio(name, stageIndex, variant));
    return { trials, events: drawBinomial(trials, rate, this.#random) };
  }

  #histograms(trials: number, stageIndex: number, variant: Variant): Readonly<Record<string, Histogram>> {
    const histograms: Record<string, Histogram> = {};
    for (const { names, guardrail, share, of } of this.#values) {
      const ratio = Math.max(...names.map((name) => this.#ratio(name, stageIndex, variant)));
      const { first, shares } = of(ratio);
      const counts: Record<string, number> = {};
      drawMultinomial(Math.round(trials * share), shares, this.#random).forEach((count, index) => {
        if (count > 0) counts[first + index] = count;
      });
      for (const name of names) histograms[name] = { ...guardrail.histogram, counts };
    }
    return histograms;
  }

  #ratio(name: GuardrailName, stageIndex: number, variant: Variant): number {
    const { regression } = this.#input;
    const isWorse = variant === 'candidate' && regression?.guardrail === name && stageIndex >= regression.fromStage;
    return isWorse ? regression.ratio : 1;
  }
}

/** The variant gets copies of what the other one answers. */
function isCopy({ mirror }: StagePlan, variant: Variant): boolean {
  return mirror.share > 0 && variant === mirror.variant;
}

function isDrawnRate(name: GuardrailName): name is DrawnRate {
  return Object.hasOwn(DRAWN_RATES, name);
}

function valuesOf(plan: Plan, baselines: Baselines): readonly Values[] {
  const groups = new Map<string, { names: GuardrailName[]; guardrail: QuantileGuardrail | CutsGuardrail }>();
  for (const guardrail of plan.guardrails) {
    if (guardrail.kind !== 'quantile' && guardrail.kind !== 'cuts') continue;
    const key = `${guardrail.signal} ${guardrail.histogram.gamma} ${guardrail.histogram.xMin}`;
    const group = groups.get(key);
    if (group) group.names.push(guardrail.name);
    else groups.set(key, { names: [guardrail.name], guardrail });
  }
  return [...groups.values()].flatMap(({ names, guardrail }) => {
    const baseline = baselineOf(guardrail, baselines);
    if (baseline?.kind !== 'values') return [];
    const known = new Map<number, ValueShares>();
    const of = (ratio: number): ValueShares => {
      const shares = known.get(ratio) ?? valueShares(baseline.spread, guardrail.histogram, ratio);
      known.set(ratio, shares);
      return shares;
    };
    // Every request has a latency, whatever else is measured of it.
    return [{ names, guardrail, share: guardrail.signal === 'latency' ? 1 : baseline.share, of }];
  });
}
