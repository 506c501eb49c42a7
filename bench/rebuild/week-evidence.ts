import { seedThresholds } from '../../activities/seeds.js';
import { SERVED } from '../../src/evidence/record.js';
import type { EvidenceRecord, Histogram, RatingRecord } from '../../src/evidence/record.js';
import { rolloutId } from '../../src/plan/ids.js';
import type { RolloutId } from '../../src/plan/ids.js';
import { meteringFor } from '../../src/plan/metering.js';
import type { Plan, StagePlan, Variant } from '../../src/plan/types.js';
import { IntervalCell } from '../../src/router/meter/interval-cell.js';
import { sharedHistograms } from '../../src/router/meter/measures.js';
import type { Outcome } from '../../src/router/proxy/outcome.js';
import { bucketIndex } from '../../src/statistics/histogram.js';
import { Random } from '../statistics/sampling/random.js';

/** Both variants together: a service of 1.7 million requests a day. */
const REQUESTS_PER_SECOND = 20;
const STREAMED = 0.8;
const ERRORS = 0.01;
const ABORTED = 0.01;
const REFUSED = 0.02;
const RATED = 0.01;

/** Intervals that are drawn request by request; the week is made of them. */
const DRAWN = 2000;

const CLASSES = ['model', 'model', 'timeout', 'rate-limit', 'broken'] as const;

/** Distinct units of the week, as far as they are in the sketch of assigned ones; all have come within the first hours. */
const UNITS_IN_SKETCH = 4096;
const UNITS_AN_INTERVAL = 4;

/** When the rollout starts: on an interval's edge. */
export const BEGIN = Date.parse('2026-11-24T09:00:00.000Z');
export const ROLLOUT: RolloutId = rolloutId('support@2026-11-24T09:00:00Z');

type Half = Omit<EvidenceRecord, 'intervalStart' | 'variant'>;

/**
 * A week of evidence of one router, a healthy candidate. Requests are metered by the router's own meter. Of each interval
 * drawn, one half is the candidate's at one time and stable's at another, so that over the week both are exactly alike.
 */
export class WeekEvidence {
  readonly seeds: Readonly<Record<string, Histogram>>;
  private readonly halves: readonly (readonly [Half, Half])[];
  private readonly stage: StagePlan;

  constructor(plan: Plan) {
    const [stage] = plan.stages;
    if (!stage) throw new RangeError('the plan has no stage');
    this.stage = stage;
    const random = new Random('week');
    this.seeds = seedsOf(plan, random);
    const shared = sharedHistograms(meteringFor(plan, stage, seedThresholds(plan, this.seeds)));
    this.halves = Array.from({ length: DRAWN }, () => {
      const generation = {
        rollout: ROLLOUT,
        generation: 1,
        stage: stage.name,
        replica: 'router-1',
        process: 'p1',
        intervalMs: stage.intervalMs,
        requestTimeoutMs: plan.requestTimeoutMs,
      };
      const cell = new IntervalCell(generation, BEGIN, false, shared);
      const requests = (REQUESTS_PER_SECOND * stage.intervalMs) / 1000;
      for (let request = 0; request < requests; request++) {
        const half = cell.cell(SERVED, random.happens(0.5) ? 'candidate' : 'stable');
        half.start();
        half.finish(outcomeOf(random), Math.floor(64 * random.uniform() ** 1.5), random.happens(0.7));
      }
      const [first, second] = cell.close();
      if (!first || !second) throw new RangeError('an interval without requests of both variants');
      return [first, second];
    });
  }

  /** The records of one interval, 0 the stage's first. */
  interval(index: number): readonly EvidenceRecord[] {
    // 7 shares no divisor with the number drawn: every turn goes through all, each time from another one on.
    const turn = Math.floor(index / DRAWN);
    const halves = this.halves[(7 * index + turn) % DRAWN];
    if (!halves) throw new RangeError(`no interval ${index}`);
    const intervalStart = BEGIN + index * this.stage.intervalMs;
    const warmup = index * this.stage.intervalMs < this.stage.warmupMs;
    const candidate = turn % 2;
    return halves.map((half, which) => ({
      ...half,
      intervalStart,
      warmup,
      variant: which === candidate ? 'candidate' : 'stable',
      ...assignedIn(index, which),
    }));
  }

  /** Ratings of requests of one interval, given within minutes. */
  ratings(index: number): readonly RatingRecord[] {
    const random = new Random('ratings', index);
    const expected = (RATED * REQUESTS_PER_SECOND * this.stage.intervalMs) / 1000;
    const variants: readonly Variant[] = ['stable', 'candidate'];
    return Array.from({ length: Math.floor(expected + random.uniform()) }, (_, which) => {
      const requestStartedAt = BEGIN + index * this.stage.intervalMs + random.below(this.stage.intervalMs);
      return {
        nonce: `n-${index}-${which}`,
        rollout: ROLLOUT,
        generation: 1,
        stratum: SERVED,
        variant: variants[random.below(2)] ?? 'stable',
        userBucket: random.below(64),
        requestStartedAt,
        ratedAt: requestStartedAt + random.below(300_000),
        rating: { kind: 'thumb', up: random.happens(0.85) },
      };
    });
  }
}

function assignedIn(index: number, half: number): Pick<EvidenceRecord, 'assigned'> {
  const first = (2 * index + half) * UNITS_AN_INTERVAL;
  if (first >= UNITS_IN_SKETCH) return {};
  // Any hashes do, as long as they are distinct.
  const units = Array.from({ length: UNITS_AN_INTERVAL }, (_, unit) => (first + unit).toString(16).padStart(16, '0'));
  return { assigned: { units, alone: 0 } };
}

function outcomeOf(random: Random): Outcome {
  const latencyMs = latencyOf(random);
  const ttftMs = random.happens(STREAMED) ? latencyMs * 0.2 * Math.exp(0.3 * random.normal()) : null;
  const fate = random.uniform();
  if (fate < ERRORS) {
    const errorClass = CLASSES[random.below(CLASSES.length)] ?? 'model';
    return { end: 'error', errorClass, status: 500, latencyMs, ttftMs: null, facts: null };
  }
  if (fate < ERRORS + ABORTED) {
    return { end: 'aborted', errorClass: null, status: 200, latencyMs, ttftMs, facts: null };
  }
  const promptTokens = 200 + random.below(800);
  const cachedTokens = random.happens(0.7) ? Math.floor(0.8 * promptTokens) : 0;
  const completionTokens = Math.max(1, Math.round(150 * Math.exp(0.7 * random.normal())));
  return {
    end: 'complete',
    errorClass: null,
    status: 200,
    latencyMs,
    ttftMs,
    facts: {
      complete: true,
      usage: { promptTokens, cachedTokens, completionTokens },
      refused: random.happens(REFUSED),
      issuedIds: [],
    },
  };
}

function latencyOf(random: Random): number {
  return 900 * Math.exp(0.6 * random.normal());
}

/** What the router had seen of stable before the rollout. */
function seedsOf(plan: Plan, random: Random): Readonly<Record<string, Histogram>> {
  const latencies = Array.from({ length: 4000 }, () => latencyOf(random));
  const seeds: Record<string, Histogram> = {};
  for (const guardrail of plan.guardrails) {
    if (guardrail.kind !== 'quantile') continue;
    const { gamma, xMin } = guardrail.histogram;
    const counts: Record<string, number> = {};
    for (const latency of latencies) {
      const value = guardrail.signal === 'latency' ? latency : 0.2 * latency;
      const index = bucketIndex(value, { gamma, smallest: xMin });
      counts[index] = (counts[index] ?? 0) + 1;
    }
    seeds[guardrail.name] = { gamma, xMin, counts };
  }
  return seeds;
}
