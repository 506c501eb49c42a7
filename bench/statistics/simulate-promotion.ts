import { logOddsRatioFromRatio } from '../../src/statistics/odds-ratio.js';
import { BatchSource } from './draw-batch.js';
import { KernelEvidence, kernelMethod } from './kernel-evidence.js';
import { Random } from './sampling/random.js';
import { firstStops } from './sequential-test.js';
import { ALPHA, batchOf } from './settings.js';
import { summarise } from './simulate-binary.js';
import type { DetectionOfMethod } from './simulate-binary.js';

/** A promote gate: the candidate is to be shown better than `margin` times stable's rate. */
export interface PromotionSetting {
  readonly name: string;
  readonly rate: number;
  readonly margin: number;
  readonly share: number;
  /** True ratio of the rates: 1 = as good as stable, `margin` = just not good enough. */
  readonly ratio: number;
  /** Requests of the candidate between two looks; default 20. */
  readonly candidateTrials?: number;
}

export const PROMOTION_SETTINGS: readonly PromotionSetting[] = [
  { name: 'errors 1 %, margin × 2, share 5 %', rate: 0.01, margin: 2, share: 0.05, ratio: 1 },
  { name: 'errors 1 %, margin × 1.5, share 25 %', rate: 0.01, margin: 1.5, share: 0.25, ratio: 1 },
  { name: 'slow answers 5 %, margin × 1.5, share 25 %', rate: 0.05, margin: 1.5, share: 0.25, ratio: 1 },
  {
    name: 'cache misses 60 %, margin × 1.2, share 25 %',
    rate: 0.6,
    margin: 1.2,
    share: 0.25,
    ratio: 1,
    // Decided within a few hundred requests.
    candidateTrials: 5,
  },
];

/** A candidate that is exactly as bad as the margin must not be promoted. */
export const FALSE_PROMOTION: PromotionSetting = {
  name: 'errors 1 % to 1.5 %, margin × 1.5, share 25 %',
  rate: 0.01,
  margin: 1.5,
  share: 0.25,
  ratio: 1.5,
};

/** Looks at a candidate that must not be promoted, and requests after which an honest one is given up. */
export const FALSE_PROMOTION_LOOKS = 1000;
const PATIENCE_REQUESTS = 1_000_000;

/** Requests of both variants together until the gate opens. */
export function simulatePromotion(setting: PromotionSetting, runs: number): DetectionOfMethod {
  const { rate, margin, share, ratio, candidateTrials = 20 } = setting;
  const limit = logOddsRatioFromRatio(rate, margin);
  const evidence = new KernelEvidence({ side: 'less', limit, typicalEffect: limit });
  const methods = [kernelMethod('sluice', evidence, ALPHA)];
  const batch = batchOf(Math.round(candidateTrials / share), share);
  const source = new BatchSource(batch, rate, rate * ratio);
  const random = new Random(`promotion ${setting.name}`);
  const perLook = batch.candidateTrials + batch.stableTrials;
  const looks = ratio > 1 ? FALSE_PROMOTION_LOOKS : PATIENCE_REQUESTS / perLook;
  const requests = new Float64Array(runs);
  for (let run = 0; run < runs; run++) {
    const [stop = Infinity] = firstStops(methods, looks, () => source.draw(random));
    requests[run] = stop * perLook;
  }
  return summarise(requests, looks * perLook);
}
