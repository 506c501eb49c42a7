/** Evidence as routers would report it: whole records, interval by interval, from a seed. */
import type { EvidenceRecord, Histogram } from '../../../src/evidence/record.js';
import { PAIRED, SERVED } from '../../../src/evidence/record.js';
import type { RolloutId } from '../../../src/plan/ids.js';
import { rolloutId } from '../../../src/plan/ids.js';
import type { HistogramSpec, Plan, StagePlan, Variant } from '../../../src/plan/types.js';
import { bucketIndex } from '../../../src/statistics/histogram.js';
import { evidenceRecord } from '../../helpers/evidence-record.js';
import { Random } from './random.js';

/** How an upstream behaves. */
export interface Behaviour {
  /** Share of requests that end in an error. */
  readonly errorRate: number;
  /** Median latency, ms. */
  readonly medianMs: number;
  /** Standard deviation of ln(latency). */
  readonly logSd: number;
  /** Times the slowest fifth takes: p95 changes, p50 does not. */
  readonly tail?: number;
  readonly refusalRate?: number;
  /** Share of requests that their client ends. */
  readonly abortRate?: number;
  /** Share of requests that are streamed, so that a first token is seen after a fifth of the latency; default 1. */
  readonly streamShare?: number;
  /** Share of cache misses among the requests that could hit; none could unless told. */
  readonly missRate?: number;
  /** Median tokens of an answer, lognormal with a standard deviation of 0.6; not counted unless told. */
  readonly medianTokens?: number;
}

export interface Traffic {
  /** Requests of users, all variants together. */
  readonly requestsPerSecond: number;
  readonly stable: Behaviour;
  readonly candidate: Behaviour;
  /** Over how many routers they are spread; default 1. */
  readonly replicas?: number;
}

export const HEALTHY: Behaviour = { errorRate: 0.01, medianMs: 400, logSd: 0.5 };

/** The slowest fifth of a lognormal begins at this many standard deviations. */
const SLOWEST_FIFTH = 0.8416212335729143;

/** Everything a variant answered in one interval, stratum and replica. */
interface Tally {
  started: number;
  errors: number;
  refusals: number;
  aborts: number;
  misses: number;
  eligible: number;
  /** By signal and layout of the histogram. */
  readonly counts: Record<string, Record<string, number>>;
}

type Signal = 'latency' | 'ttft' | 'tokens';

const TOKENS_LOG_SD = 0.6;

function emptyTally(): Tally {
  return { started: 0, errors: 0, refusals: 0, aborts: 0, misses: 0, eligible: 0, counts: {} };
}

/**
 * Simulates the evidence of one rollout. Stages and generations follow each other in time; the same seed gives the same
 * records.
 */
export class EvidenceSimulator {
  readonly rollout: RolloutId = rolloutId('support@2026-11-24T09:00:00Z');
  private readonly plan: Plan;
  private readonly random: Random;
  /** Guardrails that cut a signal alike share its values. */
  private readonly layouts: ReadonlyMap<string, { readonly signal: Signal; readonly spec: HistogramSpec }>;
  private now = Date.parse('2026-11-24T09:00:00.000Z');
  private generation = 0;

  constructor(plan: Plan, seed: number) {
    this.plan = plan;
    this.random = new Random(seed);
    this.layouts = new Map(
      plan.guardrails.flatMap((guardrail) =>
        guardrail.kind === 'quantile' || guardrail.kind === 'cuts'
          ? [[layoutOf(guardrail), { signal: guardrail.signal, spec: guardrail.histogram }] as const]
          : [],
      ),
    );
  }

  /**
   * The records of a stage under a new generation, one array for each interval end, in order.
   * @param seconds how long it runs, its warm-up included
   */
  *stage(name: string, seconds: number, traffic: Traffic): Generator<readonly EvidenceRecord[]> {
    const stage = this.plan.stages.find((one) => one.name === name);
    if (!stage) throw new Error(`the plan has no stage ${name}`);
    this.generation++;
    const begin = Math.ceil(this.now / stage.intervalMs) * stage.intervalMs;
    const end = begin + seconds * 1000;
    for (let start = begin; start < end; start += stage.intervalMs) {
      this.now = start + stage.intervalMs;
      yield this.interval(stage, start, start - begin < stage.warmupMs, traffic);
    }
  }

  /** Stable's own meter before the rollout: what the latency thresholds are seeded with. */
  seeds(stable: Behaviour, requests: number): Record<string, Histogram> {
    const tally = emptyTally();
    for (let request = 0; request < requests; request++) this.answer(tally, stable);
    return this.histogramsOf(tally);
  }

  private interval(stage: StagePlan, start: number, warmup: boolean, traffic: Traffic): readonly EvidenceRecord[] {
    const tallies = new Map<string, Tally>();
    const replicas = traffic.replicas ?? 1;
    const requests = Math.round((traffic.requestsPerSecond * stage.intervalMs) / 1000);
    for (let request = 0; request < requests; request++) {
      const replica = replicas === 1 ? 0 : Math.floor(this.random.uniform() * replicas);
      const served: Variant = this.random.happens(stage.weights.candidate) ? 'candidate' : 'stable';
      const mirrored = stage.mirror.share > 0 && this.random.happens(stage.mirror.share);
      const variants: readonly Variant[] = mirrored ? [served, stage.mirror.variant] : [served];
      for (const variant of variants) {
        const key = `${replica} ${mirrored ? PAIRED : SERVED} ${variant}`;
        let tally = tallies.get(key);
        if (!tally) {
          tally = emptyTally();
          tallies.set(key, tally);
        }
        this.answer(tally, traffic[variant]);
      }
    }
    return [...tallies].map(([key, tally]) => {
      const [replica = '', stratum = '', variant] = key.split(' ');
      return this.record(stage, start, warmup, tally, {
        replica: `replica-${replica}`,
        stratum,
        variant: variant === 'candidate' ? 'candidate' : 'stable',
      });
    });
  }

  private answer(tally: Tally, behaviour: Behaviour): void {
    tally.started++;
    if (this.random.happens(behaviour.errorRate)) tally.errors++;
    if (behaviour.refusalRate !== undefined && this.random.happens(behaviour.refusalRate)) tally.refusals++;
    const deviation = this.random.normal();
    const tail = deviation > SLOWEST_FIFTH ? (behaviour.tail ?? 1) : 1;
    const latencyMs = behaviour.medianMs * Math.exp(behaviour.logSd * deviation) * tail;
    const values = { latency: latencyMs, ttft: this.firstToken(behaviour, latencyMs), tokens: this.tokens(behaviour) };
    if (behaviour.abortRate !== undefined && this.random.happens(behaviour.abortRate)) tally.aborts++;
    if (behaviour.missRate !== undefined) {
      tally.eligible++;
      if (this.random.happens(behaviour.missRate)) tally.misses++;
    }
    for (const [layout, { signal, spec }] of this.layouts) {
      const value = values[signal];
      if (value === null) continue;
      const index = bucketIndex(value, { gamma: spec.gamma, smallest: spec.xMin });
      const counts = (tally.counts[layout] ??= {});
      counts[index] = (counts[index] ?? 0) + 1;
    }
  }

  private firstToken({ streamShare }: Behaviour, latencyMs: number): number | null {
    return streamShare === undefined || this.random.happens(streamShare) ? latencyMs / 5 : null;
  }

  private tokens({ medianTokens }: Behaviour): number | null {
    if (medianTokens === undefined) return null;
    return Math.max(1, Math.round(medianTokens * Math.exp(TOKENS_LOG_SD * this.random.normal())));
  }

  private record(
    stage: StagePlan,
    intervalStart: number,
    warmup: boolean,
    tally: Tally,
    key: Pick<EvidenceRecord, 'replica' | 'stratum' | 'variant'>,
  ): EvidenceRecord {
    const { started, errors } = tally;
    return evidenceRecord({
      ...key,
      rollout: this.rollout,
      generation: this.generation,
      stage: stage.name,
      intervalStart,
      intervalMs: stage.intervalMs,
      warmup,
      started,
      completed: started - tally.aborts,
      aborted: tally.aborts,
      error: { trials: started, events: errors },
      errorsByClass: errors > 0 ? { model: errors } : {},
      refusal: { trials: started - errors, events: Math.min(tally.refusals, started - errors) },
      ...(tally.eligible > 0 ? { cacheMiss: { trials: tally.eligible, events: tally.misses } } : {}),
      histograms: this.histogramsOf(tally),
    });
  }

  private histogramsOf(tally: Tally): Record<string, Histogram> {
    return Object.fromEntries(
      this.plan.guardrails.flatMap((guardrail) => {
        if (guardrail.kind !== 'quantile' && guardrail.kind !== 'cuts') return [];
        const { gamma, xMin } = guardrail.histogram;
        return [[guardrail.name, { gamma, xMin, counts: { ...tally.counts[layoutOf(guardrail)] } }] as const];
      }),
    );
  }
}

function layoutOf({ signal, histogram }: { readonly signal: Signal; readonly histogram: HistogramSpec }): string {
  return `${signal} ${histogram.gamma} ${histogram.xMin}`;
}
