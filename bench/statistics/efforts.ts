/** Runs of each simulation. */
export interface Effort {
  readonly name: 'short' | 'full';
  readonly nulls: number;
  readonly truths: number;
  readonly latencyNulls: number;
  readonly latencyTruths: number;
  /** The quantile test of Howard and Ramdas costs as much as all others together. */
  readonly howardRamdasNulls: number;
  readonly rollouts: number;
  readonly worseRollouts: number;
  readonly assessedRollouts: number;
  readonly drift: number;
  readonly sticky: number;
  readonly stickyWorse: number;
  readonly promotions: number;
  /** Share of the seven days that the speed of a rebuild is measured on. */
  readonly rebuildShare: number;
}

/** Two minutes on one core. */
export const SHORT: Effort = {
  name: 'short',
  nulls: 1000,
  truths: 1000,
  latencyNulls: 100,
  latencyTruths: 300,
  howardRamdasNulls: 10,
  rollouts: 600,
  worseRollouts: 200,
  assessedRollouts: 80,
  drift: 2000,
  sticky: 300,
  stickyWorse: 40,
  promotions: 1000,
  rebuildShare: 0.02,
};

/** What the goals of the method ask for. */
export const FULL: Effort = {
  name: 'full',
  nulls: 10_000,
  truths: 4000,
  latencyNulls: 3000,
  latencyTruths: 1500,
  howardRamdasNulls: 300,
  rollouts: 10_000,
  worseRollouts: 2000,
  assessedRollouts: 2000,
  drift: 10_000,
  sticky: 1500,
  stickyWorse: 1500,
  promotions: 4000,
  rebuildShare: 1,
};
