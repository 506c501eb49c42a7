import { fixedSampleCandidateRequests } from './comparators/fixed-sample.js';
import { BatchSource } from './draw-batch.js';
import type { MethodName } from './methods.js';
import { allMethods, anyIncrease } from './methods.js';
import { Random } from './sampling/random.js';
import { firstStops } from './sequential-test.js';
import { ALPHA, NULL_LOOKS } from './settings.js';
import type { NullSetting, TruthSetting } from './settings.js';
import { klTwoSample } from '../../src/statistics/kullback-leibler.js';

/** Looks at which a method stopped, one a run; Infinity for never. */
export type Stops = ReadonlyMap<MethodName, Float64Array>;

/** A detection is looked for until so many times the least number of requests that any test needs. */
const PATIENCE = 25;
const LEAST_PATIENCE_REQUESTS = 1000;

/** Runs of a candidate that is as good as stable, all methods on the same requests. */
export function simulateNull(setting: NullSetting, runs: number): Stops {
  const { rate, drift = () => 1, candidateTrials } = setting;
  const sources = Array.from({ length: NULL_LOOKS }, (_, index) => {
    const rateNow = rate * drift(index + 1);
    return new BatchSource(setting, rateNow, rateNow);
  });
  const [first] = sources;
  if (!first) throw new RangeError('no looks to simulate');
  const methods = allMethods(anyIncrease(), rate, NULL_LOOKS * candidateTrials);
  const stops = new Map(methods.map(({ name }) => [name, new Float64Array(runs)]));
  const random = new Random(`null ${setting.name}`);
  for (let run = 0; run < runs; run++) {
    const looks = firstStops(methods, NULL_LOOKS, (look) => (sources[look - 1] ?? first).draw(random));
    for (const [index, { name }] of methods.entries()) (stops.get(name) ?? [])[run] = looks[index] ?? Infinity;
  }
  return stops;
}

/** What it took to find a worse candidate. */
export interface Detection {
  readonly setting: TruthSetting;
  /** Candidate requests that any level-α test needs at least on average: share · ln(1/α)/K. */
  readonly bound: number;
  /** Candidate requests of the classical test that looks once, for a power of 80 %. */
  readonly fixedSample: number;
  /** Candidate requests after which a run was given up. */
  readonly patience: number;
  readonly byMethod: ReadonlyMap<MethodName, DetectionOfMethod>;
}

export interface DetectionOfMethod {
  /** Share of runs that found it. */
  readonly found: number;
  /** Mean candidate requests; runs that never found it count with all the requests they saw. */
  readonly mean: number;
  /** Candidate requests after which 80 % of the runs had found it; Infinity when fewer did. */
  readonly q80: number;
}

export function simulateTruth(setting: TruthSetting, runs: number): Detection {
  const { stableRate, candidateRate, share, candidateTrials } = setting;
  const bound = (share * -Math.log(ALPHA)) / klTwoSample(stableRate, candidateRate, share, 0);
  const fixedSample = fixedSampleCandidateRequests({ stableRate, candidateRate, share, alpha: ALPHA, power: 0.8 });
  const looks = Math.ceil(Math.max(LEAST_PATIENCE_REQUESTS, PATIENCE * bound) / candidateTrials);
  const patience = looks * candidateTrials;
  const source = new BatchSource(setting, stableRate, candidateRate);
  const methods = allMethods(anyIncrease(), stableRate, fixedSample);
  const requests = new Map(methods.map(({ name }) => [name, new Float64Array(runs)]));
  const random = new Random(`truth ${setting.name}`);
  for (let run = 0; run < runs; run++) {
    const stops = firstStops(methods, looks, () => source.draw(random));
    for (const [index, { name }] of methods.entries()) {
      (requests.get(name) ?? [])[run] = (stops[index] ?? Infinity) * candidateTrials;
    }
  }
  const byMethod = new Map([...requests].map(([name, counts]) => [name, summarise(counts, patience)] as const));
  return { setting, bound, fixedSample, patience, byMethod };
}

/** @param counts requests at detection, Infinity for never */
export function summarise(counts: Float64Array, patience: number): DetectionOfMethod {
  const sorted = counts.toSorted();
  const found = sorted.reduce((sum, count) => sum + (count === Infinity ? 0 : 1), 0);
  return {
    found: found / counts.length,
    mean: counts.reduce((sum, count) => sum + Math.min(count, patience), 0) / counts.length,
    q80: sorted[Math.ceil(0.8 * counts.length) - 1] ?? Infinity,
  };
}
