/** What is simulated: the numbers of every setting in one place, so that a reader can judge them. */

/** α of every test that is compared: one-sided, for ever. */
export const ALPHA = 0.05;

/** d* of the rates compared here, nats: the default of error rates. */
export const TYPICAL_EFFECT = 0.4;

/** How long a run lasts and how requests are split between two looks. */
export interface BatchShape {
  readonly candidateTrials: number;
  readonly stableTrials: number;
}

/** A candidate exactly as good as stable. */
export interface NullSetting extends BatchShape {
  readonly name: string;
  readonly rate: number;
  /** Factor on the rate at a look, the same for both variants; default 1. */
  readonly drift?: (look: number) => number;
}

/** A candidate that is worse. */
export interface TruthSetting extends BatchShape {
  readonly name: string;
  readonly stableRate: number;
  readonly candidateRate: number;
  readonly share: number;
}

/** Looks of a null run, one after each batch of 400 requests. */
export const NULL_LOOKS = 1000;

export const NULL_SETTINGS: readonly NullSetting[] = [
  { name: '1 %, share 5 %', rate: 0.01, ...batchOf(400, 0.05) },
  { name: '1 %, share 50 %', rate: 0.01, ...batchOf(400, 0.5) },
  { name: '0.1 %, share 5 %', rate: 0.001, ...batchOf(400, 0.05) },
  { name: '10 %, share 25 %', rate: 0.1, ...batchOf(400, 0.25) },
  { name: '60 %, share 5 %', rate: 0.6, ...batchOf(400, 0.05) },
  // Four days of a service whose rate swings from a fifth to five times its usual one.
  {
    name: '1 % × 0.2 … 5 over time, share 5 %',
    rate: 0.01,
    ...batchOf(400, 0.05),
    drift: (look) => 5 ** Math.sin((8 * Math.PI * look) / NULL_LOOKS),
  },
];

export const TRUTH_SETTINGS: readonly TruthSetting[] = [
  truth(0.01, 0.02, 0.05),
  truth(0.01, 0.015, 0.05),
  truth(0.01, 0.02, 0.25),
  truth(0.01, 0.02, 0.5),
  truth(0.05, 0.065, 0.25),
  truth(0.6, 0.66, 0.05),
  truth(0.01, 0.2, 0.05, 5),
  truth(0.001, 0.005, 0.05),
];

/** Requests between two looks, split by the candidate's share. */
export function batchOf(requests: number, share: number): BatchShape {
  const candidateTrials = Math.round(requests * share);
  return { candidateTrials, stableTrials: requests - candidateTrials };
}

/** @param candidateTrials between two looks: few, so that the count at detection is not a matter of the batch */
function truth(stableRate: number, candidateRate: number, share: number, candidateTrials = 20): TruthSetting {
  return {
    name: `${percent(stableRate)} to ${percent(candidateRate)}, share ${percent(share)}`,
    stableRate,
    candidateRate,
    share,
    ...batchOf(candidateTrials / share, share),
  };
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}
