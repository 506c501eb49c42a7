import { exceedanceTable } from '../../src/statistics/exceedance-table.js';
import type { Histogram } from '../../src/statistics/histogram.js';
import { quantileIndex } from '../../src/statistics/histogram.js';
import { klTwoSample } from '../../src/statistics/kullback-leibler.js';
import type { Profile } from '../../src/statistics/table-profile.js';
import { ThresholdTracker } from '../../src/statistics/threshold-tracker.js';
import { howardRamdasHistogramPValue } from './comparators/howard-ramdas.js';
import { KernelEvidence } from './kernel-evidence.js';
import { LIMIT_RATIO, LIMIT_SHIFT, LatencySampler, quantileOf } from './latency-model.js';
import type { Survival } from './latency-model.js';
import { Random } from './sampling/random.js';
import { ALPHA, TYPICAL_EFFECT } from './settings.js';
import type { BatchShape } from './settings.js';
import { summarise } from './simulate-binary.js';
import type { DetectionOfMethod } from './simulate-binary.js';

/** θ_R of latency guardrails: half a bucket of discretisation is no breach (method §4.3). */
export const LATENCY_LIMIT = 0.02;

export interface LatencySetting extends BatchShape {
  readonly name: string;
  readonly share: number;
  readonly quantile: number;
  readonly stable: Survival;
  readonly candidate: Survival;
  /** Factor on every latency at a look; default 1. */
  readonly load?: (look: number) => number;
}

export const LATENCY_METHODS = {
  sluice: 'sluice',
  howardRamdas: 'Howard–Ramdas',
  failureLimit: 'Argo/Flagger limit',
} as const;

export type LatencyMethod = (typeof LATENCY_METHODS)[keyof typeof LATENCY_METHODS];

export interface LatencyOptions {
  readonly runs: number;
  readonly looks: number;
  /** Stable observations before the first look that fix the threshold: from shadow, or the router's own meter. */
  readonly seedObservations: number;
  readonly methods: readonly LatencyMethod[];
}

/** Looks at which each method stopped, one a run; Infinity for never. */
export function simulateLatency(
  setting: LatencySetting,
  options: LatencyOptions,
): ReadonlyMap<LatencyMethod, Float64Array> {
  const { runs, looks, seedObservations, methods } = options;
  const stable = new LatencySampler(setting.stable);
  const candidate = new LatencySampler(setting.candidate);
  const evidence = new KernelEvidence({ side: 'greater', limit: LATENCY_LIMIT, typicalEffect: TYPICAL_EFFECT });
  const random = new Random(`latency ${setting.name}`, seedObservations);
  const stops = new Map(methods.map((method) => [method, new Float64Array(runs).fill(Infinity)] as const));
  for (let run = 0; run < runs; run++) {
    const seed = seedObservations > 0 ? stable.histogram(seedObservations, random, setting.load?.(0)) : null;
    const tests = new Map(methods.map((method) => [method, begin(method, setting.quantile, evidence, seed)] as const));
    for (let look = 1; look <= looks && tests.size > 0; look++) {
      const load = setting.load?.(look);
      const ofStable = stable.histogram(setting.stableTrials, random, load);
      const ofCandidate = candidate.histogram(setting.candidateTrials, random, load);
      for (const [method, test] of tests) {
        if (!test.add(ofCandidate, ofStable)) continue;
        (stops.get(method) ?? [])[run] = look;
        tests.delete(method);
      }
    }
  }
  return stops;
}

/** Rates of exceeding the threshold that the truth amounts to, for the bound and the planner. */
export function exceedanceRates(setting: LatencySetting): {
  readonly stableRate: number;
  readonly candidateRate: number;
} {
  const threshold = quantileOf(setting.stable, setting.quantile);
  return { stableRate: 1 - setting.quantile, candidateRate: setting.candidate(LIMIT_RATIO * threshold) };
}

/** Candidate requests that any level-α test of the exceedances needs at least on average. */
export function latencyBound(setting: LatencySetting): number {
  const { stableRate, candidateRate } = exceedanceRates(setting);
  return (setting.share * -Math.log(ALPHA)) / klTwoSample(stableRate, candidateRate, setting.share, 0);
}

/** Stops as candidate requests. */
export function latencyDetection(setting: LatencySetting, stops: Float64Array, looks: number): DetectionOfMethod {
  const { candidateTrials } = setting;
  const requests = stops.map((look) => look * candidateTrials);
  return summarise(requests, looks * candidateTrials);
}

interface LatencyTest {
  add(candidate: Histogram, stable: Histogram): boolean;
}

function begin(method: LatencyMethod, quantile: number, evidence: KernelEvidence, seed: Histogram | null): LatencyTest {
  switch (method) {
    case 'sluice':
      return new ExceedanceTest(quantile, evidence, seed);
    case 'Howard–Ramdas':
      return new HowardRamdasTest(quantile);
    case 'Argo/Flagger limit':
      return new QuantileRatioLimit(quantile);
  }
}

/** sluice's test: exceedances of a threshold from before, in the kernel. */
class ExceedanceTest implements LatencyTest {
  private readonly threshold: ThresholdTracker;
  private readonly evidence: KernelEvidence;
  private readonly sum: Profile;

  constructor(quantile: number, evidence: KernelEvidence, seed: Histogram | null) {
    this.threshold = new ThresholdTracker({ quantile });
    if (seed) this.threshold.add(seed);
    this.evidence = evidence;
    this.sum = new Float64Array(evidence.theta.length);
  }

  add(candidate: Histogram, stable: Histogram): boolean {
    const threshold = this.threshold.threshold();
    this.threshold.add(stable);
    if (threshold === null) return false;
    this.evidence.addTo(this.sum, exceedanceTable(candidate, stable, threshold, LIMIT_SHIFT));
    return this.evidence.logE(this.sum, -Math.log(ALPHA)) >= -Math.log(ALPHA);
  }
}

/** The two-sample quantile test of Howard and Ramdas, looked at every fifth time: it costs most. */
class HowardRamdasTest implements LatencyTest {
  private readonly options: { readonly quantile: number; readonly optimalCount: number };
  private readonly candidate: Record<number, number> = {};
  private readonly stable: Record<number, number> = {};
  private looks = 0;

  constructor(quantile: number) {
    this.options = { quantile, optimalCount: 1000 };
  }

  add(candidate: Histogram, stable: Histogram): boolean {
    addHistogram(this.candidate, candidate);
    addHistogram(this.stable, stable);
    this.looks++;
    if (this.looks % 5 > 0) return false;
    const { quantile } = this.options;
    const isAbove = quantileIndex(this.candidate, quantile) > quantileIndex(this.stable, quantile) + LIMIT_SHIFT;
    return isAbove && howardRamdasHistogramPValue(this.candidate, this.stable, LIMIT_SHIFT, this.options) <= ALPHA;
  }
}

/** Argo's and Flagger's rule: a window of 100 candidate requests fails above 1.2 × stable's quantile, four fail it. */
class QuantileRatioLimit implements LatencyTest {
  private readonly quantile: number;
  private candidate: Record<number, number> = {};
  private stable: Record<number, number> = {};
  private failures = 0;
  private requests = 0;

  constructor(quantile: number) {
    this.quantile = quantile;
  }

  add(candidate: Histogram, stable: Histogram): boolean {
    addHistogram(this.stable, stable);
    this.requests += addHistogram(this.candidate, candidate);
    if (this.requests < 100) return false;
    const shift = quantileIndex(this.candidate, this.quantile) - quantileIndex(this.stable, this.quantile);
    if (shift > LIMIT_SHIFT) this.failures++;
    this.candidate = {};
    this.stable = {};
    this.requests = 0;
    return this.failures > 3;
  }
}

function addHistogram(sum: Record<number, number>, histogram: Histogram): number {
  let total = 0;
  for (const [key, count] of Object.entries(histogram)) {
    const bucket = Number(key);
    sum[bucket] = (sum[bucket] ?? 0) + count;
    total += count;
  }
  return total;
}
