import { FailureLimit } from './comparators/failure-limit.js';
import { GrowthbookTest } from './comparators/growthbook-test.js';
import { KayentaJudge } from './comparators/kayenta-judge.js';
import { ZTest } from './comparators/z-test.js';
import { KernelEvidence, kernelMethod } from './kernel-evidence.js';
import type { Method } from './sequential-test.js';
import { ALPHA, TYPICAL_EFFECT } from './settings.js';

/** The names of what is compared, in the order of the tables. */
export const METHODS = {
  sluice: 'sluice',
  growthbook: 'GrowthBook',
  growthbookAbsolute: 'GrowthBook (absolute)',
  growthbookMatched: 'GrowthBook (level matched)',
  kayenta: 'Kayenta judge',
  failureLimit: 'Argo/Flagger limit',
  peekedZ: 'z-test, peeked',
  fixedHorizon: 'z-test, one look',
} as const;

export type MethodName = (typeof METHODS)[keyof typeof METHODS];

/** As they come, without a change of their settings. */
export const PEERS: readonly MethodName[] = [
  METHODS.growthbook,
  METHODS.growthbookAbsolute,
  METHODS.kayenta,
  METHODS.failureLimit,
  METHODS.peekedZ,
];

/**
 * All methods for one setting. Each asks whether the candidate's rate is higher at all (an odds ratio above 1), since
 * that is the only question that every one of them can ask.
 */
export function allMethods(
  evidence: KernelEvidence,
  baseline: number,
  horizon: number,
): readonly (Method & { readonly name: MethodName })[] {
  return [
    { ...kernelMethod(METHODS.sluice, evidence, ALPHA), name: METHODS.sluice },
    { name: METHODS.growthbook, begin: () => new GrowthbookTest(ALPHA) },
    { name: METHODS.growthbookAbsolute, begin: () => new GrowthbookTest(ALPHA, 'absolute') },
    { name: METHODS.growthbookMatched, begin: () => new GrowthbookTest(2 * ALPHA) },
    { name: METHODS.kayenta, begin: () => new KayentaJudge() },
    { name: METHODS.failureLimit, begin: () => new FailureLimit(baseline) },
    { name: METHODS.peekedZ, begin: () => new ZTest(ALPHA) },
    { name: METHODS.fixedHorizon, begin: () => new ZTest(ALPHA, horizon) },
  ];
}

/** The evidence of "the candidate's rate is higher at all". */
export function anyIncrease(): KernelEvidence {
  return new KernelEvidence({ side: 'greater', limit: 0, typicalEffect: TYPICAL_EFFECT });
}
