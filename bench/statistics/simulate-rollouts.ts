import { familyLogE } from '../../src/statistics/family-average.js';
import { expit, logit } from '../../src/statistics/odds-ratio.js';
import { restartMixture } from '../../src/statistics/restart-mixture.js';
import type { Profile } from '../../src/statistics/table-profile.js';
import { BatchSource } from './draw-batch.js';
import { KernelEvidence } from './kernel-evidence.js';
import type { Random } from './sampling/random.js';
import { batchOf } from './settings.js';

/** One rollback guardrail of a simulated rollout. */
export interface Metric {
  readonly name: string;
  /** Its weight in the family; the weights sum to 1. */
  readonly weight: number;
  /** Share of the requests that are its trials. */
  readonly trialShare: number;
  /** Stable's rate of bad events. */
  readonly rate: number;
  /** θ_R, nats. */
  readonly limit: number;
}

/** Rollback guardrails and weights of the default plan; shares and rates of a plausible service. */
export const METRICS: readonly Metric[] = [
  { name: 'error rate', weight: 0.25, trialShare: 1, rate: 0.01, limit: Math.log(1.05) },
  { name: 'latency p50', weight: 0.1, trialShare: 1, rate: 0.5, limit: 0.02 },
  { name: 'latency p95', weight: 0.15, trialShare: 1, rate: 0.05, limit: 0.02 },
  { name: 'first token p50', weight: 0.1, trialShare: 0.7, rate: 0.5, limit: 0.02 },
  { name: 'first token p95', weight: 0.1, trialShare: 0.7, rate: 0.05, limit: 0.02 },
  { name: 'cache misses', weight: 0.1, trialShare: 0.5, rate: 0.4, limit: Math.log(1.03) },
  { name: 'feedback', weight: 0.2, trialShare: 0.1, rate: 0.15, limit: Math.log(1.05) },
];

const TYPICAL_EFFECT = 0.4;

/** Shares of the candidate by stage. */
export const STAGE_SHARES: readonly number[] = [0.05, 0.25, 0.5];
export const LOOKS_PER_STAGE = 300;
const REQUESTS_PER_LOOK = 400;

/** The log odds ratio of the candidate's bad events in a stage. */
export type Truth = (metric: Metric, stage: number) => number;

/** Candidate requests of the rollout when it was rolled back; Infinity = never. */
export interface RolloutOutcome {
  /** With the restart mixture over stages, as sluice decides. */
  readonly mixture: number;
  /** With one process that goes on through all stages. */
  readonly continuing: number;
}

/**
 * Whole rollouts of three stages: every metric is looked at after each of 900 batches of 400 requests, and the rollout
 * ends at the first crossing of the family's average, by the functions that sluice ships.
 */
export class RolloutSimulation {
  private readonly sources: readonly (readonly BatchSource[])[];
  private readonly evidence: readonly KernelEvidence[];
  private readonly weights = METRICS.map(({ weight }) => weight);
  private readonly shares = STAGE_SHARES.map(() => 1 / STAGE_SHARES.length);
  private readonly bound: number;

  constructor(truth: Truth, alpha: number) {
    this.bound = -Math.log(alpha);
    this.evidence = METRICS.map(
      ({ limit }) => new KernelEvidence({ side: 'greater', limit, typicalEffect: TYPICAL_EFFECT }),
    );
    this.sources = STAGE_SHARES.map((share, stage) =>
      METRICS.map((metric) => {
        const shape = batchOf(REQUESTS_PER_LOOK * metric.trialShare, share);
        return new BatchSource(shape, metric.rate, expit(logit(metric.rate) + truth(metric, stage)));
      }),
    );
  }

  run(random: Random): RolloutOutcome {
    // By metric, then by the stage that a process was started at.
    const sums = this.evidence.map(({ theta }) => STAGE_SHARES.map(() => new Float64Array(theta.length)));
    let requests = 0;
    let mixture = Infinity;
    let continuing = Infinity;
    for (const [stage, share] of STAGE_SHARES.entries()) {
      for (let look = 0; look < LOOKS_PER_STAGE; look++) {
        requests += REQUESTS_PER_LOOK * share;
        const ceiling = this.addBatch(sums, stage, random);
        // No average exceeds its largest part, so most looks are over here.
        if (ceiling < this.bound) continue;
        if (mixture === Infinity && this.mixtureLogE(sums) >= this.bound) mixture = requests;
        if (continuing === Infinity && this.continuingLogE(sums) >= this.bound) continuing = requests;
        if (mixture < Infinity && continuing < Infinity) return { mixture, continuing };
      }
    }
    return { mixture, continuing };
  }

  private addBatch(sums: readonly (readonly Profile[])[], stage: number, random: Random): number {
    let ceiling = -Infinity;
    for (const [index, evidence] of this.evidence.entries()) {
      const batch = this.sources[stage]?.[index]?.draw(random);
      const ofMetric = sums[index];
      if (!batch || !ofMetric) continue;
      for (let start = 0; start <= stage; start++) {
        const sum = ofMetric[start];
        if (!sum) continue;
        evidence.addTo(sum, batch);
        ceiling = Math.max(ceiling, evidence.ceiling(sum));
      }
    }
    return ceiling;
  }

  private mixtureLogE(sums: readonly (readonly Profile[])[]): number {
    const logE = this.evidence.map((evidence, index) =>
      restartMixture(
        (sums[index] ?? []).map((sum) => evidence.logE(sum)),
        this.shares,
      ),
    );
    return familyLogE(logE, this.weights);
  }

  private continuingLogE(sums: readonly (readonly Profile[])[]): number {
    const logE = this.evidence.map((evidence, index) => evidence.logE(sums[index]?.[0] ?? new Float64Array()));
    return familyLogE(logE, this.weights);
  }
}

/** ln of the odds ratio between two rates. */
export function oddsBetween(from: number, to: number): number {
  return logit(to) - logit(from);
}
