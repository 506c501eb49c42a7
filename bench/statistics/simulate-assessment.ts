import type { EvidenceRecord, Histogram } from '../../src/evidence/record.js';
import { PAIRED, SERVED } from '../../src/evidence/record.js';
import { rolloutId } from '../../src/plan/ids.js';
import type { StagePlan, Variant } from '../../src/plan/types.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../src/statistics/assessment/assessment.js';
import { LATENCY_BUCKETS, LatencySampler, lognormal, slower } from './latency-model.js';
import { INTERVALS_PER_STAGE, ROLLOUT_PLAN } from './rollout-plan.js';
import { binomialSampler } from './sampling/binomial.js';
import type { Random } from './sampling/random.js';

/** How a candidate differs from stable, in every stage. */
export interface Difference {
  /** Odds ratio of an error. */
  readonly errorOdds: number;
  /** Factor on every latency and time to first token. */
  readonly slowness: number;
}

/** Requests of users in an interval. */
const REQUESTS = 80;
const ERROR_RATE = 0.01;
const LATENCY = lognormal(800, 0.6);
const FIRST_TOKEN = lognormal(150, 0.8);
/** What the router's own meter knows of stable before a rollout. */
const SEED_REQUESTS = 1000;

/** The service gets worse and better from stage to stage, for both variants. */
const LOADS = [1, 1.3, 1.6, 2, 1];

interface Signals {
  readonly errorRate: number;
  readonly latency: LatencySampler;
  readonly firstToken: LatencySampler;
}

/**
 * Whole rollouts through the code that runs in production: evidence records as routers write them, one assessment that
 * absorbs them interval by interval, a look at every interval end.
 */
export class AssessedRollouts {
  private readonly signals: Readonly<Record<Variant, Signals>>;

  constructor({ errorOdds, slowness }: Difference) {
    const odds = (errorOdds * ERROR_RATE) / (1 - ERROR_RATE);
    this.signals = {
      stable: {
        errorRate: ERROR_RATE,
        latency: new LatencySampler(LATENCY),
        firstToken: new LatencySampler(FIRST_TOKEN),
      },
      candidate: {
        errorRate: odds / (1 + odds),
        latency: new LatencySampler(slower(LATENCY, slowness)),
        firstToken: new LatencySampler(slower(FIRST_TOKEN, slowness)),
      },
    };
  }

  /** Runs a rollout to its end or its rollback. */
  run(random: Random): Assessment {
    const assessment = createAssessment(ROLLOUT_PLAN, this.seeds(random));
    let intervalStart = Date.parse('2026-11-24T09:00:00.000Z');
    for (const [stageIndex, stage] of ROLLOUT_PLAN.stages.entries()) {
      for (let interval = 0; interval < INTERVALS_PER_STAGE; interval++) {
        assessment.absorb(this.interval({ stage, stageIndex, intervalStart, interval }, random));
        if (assessment.crossings.rollback) return assessment;
        intervalStart += stage.intervalMs;
      }
    }
    return assessment;
  }

  seeds(random: Random): Record<string, Histogram> {
    return this.histograms(this.signals.stable, SEED_REQUESTS, LOADS[0] ?? 1, random);
  }

  /** The records of both variants in one interval. */
  interval(
    place: {
      readonly stage: StagePlan;
      readonly stageIndex: number;
      readonly intervalStart: number;
      readonly interval: number;
    },
    random: Random,
  ): readonly EvidenceRecord[] {
    const { stage, stageIndex, intervalStart, interval } = place;
    const isMirrored = stage.mirror.share > 0;
    // In a mirrored stage both variants answer the same requests, and only those are compared.
    const both = Math.round(REQUESTS * stage.mirror.share);
    const requests = {
      candidate: isMirrored ? both : binomialSampler(REQUESTS, stage.weights.candidate).sample(random),
      stable: both,
    };
    if (!isMirrored) requests.stable = REQUESTS - requests.candidate;
    return (['stable', 'candidate'] as const).map((variant) => ({
      ...EMPTY_RECORD,
      generation: stageIndex + 1,
      stage: stage.name,
      intervalStart,
      intervalMs: stage.intervalMs,
      stratum: isMirrored ? PAIRED : SERVED,
      variant,
      warmup: interval * stage.intervalMs < stage.warmupMs,
      ...this.answers(this.signals[variant], requests[variant], LOADS[stageIndex] ?? 1, random),
    }));
  }

  private answers(signals: Signals, requests: number, load: number, random: Random) {
    const errors = binomialSampler(requests, signals.errorRate).sample(random);
    return {
      started: requests,
      completed: requests,
      error: { trials: requests, events: errors },
      errorsByClass: errors > 0 ? { model: errors } : {},
      histograms: this.histograms(signals, requests, load, random),
    };
  }

  private histograms(signals: Signals, requests: number, load: number, random: Random): Record<string, Histogram> {
    const { gamma, smallest: xMin } = LATENCY_BUCKETS;
    const latency = { gamma, xMin, counts: signals.latency.histogram(requests, random, load) };
    const firstToken = { gamma, xMin, counts: signals.firstToken.histogram(requests, random, load) };
    return { latency_p50: latency, latency_p95: latency, ttft_p50: firstToken, ttft_p95: firstToken };
  }
}

const EMPTY_RECORD = {
  rollout: rolloutId('support@2026-11-24T09:00:00Z'),
  replica: 'replica-1',
  process: 'process-1',
  revision: 1,
  aborted: 0,
  late: 0,
  dropped: {},
  incomplete: false,
  tokens: { prompt: 0, cached: 0, completion: 0, responses: 0 },
  buckets: {},
} as const;
