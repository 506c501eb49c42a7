/** Logged requests as the evidence records that a router would have made of them. */
import { PAIRED, SERVED } from '../../evidence/record.js';
import type { EvidenceRecord, StoredRating } from '../../evidence/record.js';
import { rolloutId } from '../../plan/ids.js';
import { meteringFor } from '../../plan/metering.js';
import type { Plan, StagePlan, Variant } from '../../plan/types.js';
import { markUnit, sampleHash } from '../../router/choice.js';
import type { Hash, UnitMark } from '../../router/choice.js';
import { AssignedUnits } from '../../router/meter/assigned-units.js';
import { IntervalCell } from '../../router/meter/interval-cell.js';
import type { GenerationKey, Stratum } from '../../router/meter/interval-cell.js';
import { sharedHistograms } from '../../router/meter/measures.js';
import type { SharedHistogram } from '../../router/meter/measures.js';
import type { RecordCell } from '../../router/meter/record-cell.js';
import { UnitFilter } from '../../router/meter/unit-filter.js';
import type { Outcome } from '../../router/proxy/outcome.js';
import { RatedRequests } from './rated-requests.js';
import type { RequestLine } from './request-line.js';
import { TimeHeap } from './time-heap.js';

/** Units kept at hand: users come back within hours, and hashing is dear. */
const KEPT_UNITS = 65_536;
const BUCKETS = 64;

/** A file does not say by which salt its units were assigned; any other one is independent of that. */
export const FILE_SALT = 'file';

/** What is hashed of a unit, once. */
interface KnownUnit {
  readonly mark: UnitMark;
  readonly sampleHash: bigint;
}

/** One stage of the plan as if one router had carried it, under one generation. */
interface StageMeter {
  readonly stage: StagePlan;
  readonly generation: GenerationKey;
  readonly shared: readonly SharedHistogram[];
  /** Units that have completed a request on a variant. */
  readonly seen: Readonly<Record<Variant, UnitFilter>>;
  readonly assigned: AssignedUnits;
  /** Start of the stage's first request, ms; null before it. */
  beganAt: number | null;
  /** The interval that requests are filed under now, and its cells by variant once they have a request. */
  interval: IntervalCell | null;
  readonly cells: Record<Variant, RecordCell | null>;
}

interface Completion {
  readonly filter: UnitFilter;
  readonly mark: UnitMark;
}

/**
 * Files requests under the interval of their start, by the router's own meter. They must come in order of `at`. Each
 * stage has one generation and begins with its first request, from which its warm-up counts.
 */
export class RequestFold {
  readonly #hash: Hash;
  readonly #stages: readonly StageMeter[];
  readonly #comparesTokens: boolean;
  readonly #comparesCaches: boolean;
  /** Open intervals by end and generation: the order in which they are used. */
  #open: IntervalCell[] = [];
  readonly #completions = new TimeHeap<Completion>();
  #units = new Map<string, KnownUnit>();
  #olderUnits = new Map<string, KnownUnit>();
  #withoutUnit = 0;
  readonly #rated = new RatedRequests();
  readonly #comparesRatings: boolean;

  constructor(plan: Plan, hash: Hash) {
    this.#hash = hash;
    this.#comparesTokens = plan.guardrails.some((guardrail) => 'signal' in guardrail && guardrail.signal === 'tokens');
    this.#comparesCaches = plan.guardrails.some(({ name }) => name === 'cache_hit_rate');
    this.#comparesRatings = plan.guardrails.some(({ name }) => name === 'feedback' || name === 'response_rate');
    this.#stages = plan.stages.map((stage, index) => meterOf(plan, stage, index));
  }

  add(request: RequestLine): void {
    const meter = this.#stages[request.stageIndex];
    if (meter === undefined) throw new RangeError(`the plan has no stage of index ${request.stageIndex}`);
    meter.beganAt ??= request.at;
    const cell = this.#cell(meter, request);
    const unit = request.unit === null ? null : this.#unitOf(request.unit);
    const mark = unit?.mark ?? null;
    cell.start();
    if (stratumOf(meter.stage) === SERVED) assign(meter, cell, request.variant, unit);
    const bucket = mark?.bucket ?? this.#nextBucket();
    cell.finish(this.#outcomeOf(request), bucket, this.#isWarm(meter, request, mark));
    if (this.#comparesRatings) this.#rated.add(request, meter.generation, stratumOf(meter.stage), bucket);
  }

  /** Takes out, in order, the records of every interval that ended at or before `throughMs`. */
  close(throughMs: number): readonly EvidenceRecord[] {
    const records: EvidenceRecord[] = [];
    let closed = 0;
    for (const interval of this.#open) {
      if (interval.endMs > throughMs) break;
      records.push(...interval.close());
      closed++;
    }
    if (closed > 0) this.#open = this.#open.slice(closed);
    return records;
  }

  /** Takes out the ratings of requests that started before an interval end, Unix ms. */
  takeRatings(beforeMs: number): readonly StoredRating[] {
    return this.#rated.take(beforeMs);
  }

  /** End of the interval that is closed next; Infinity when none is open. */
  get nextEndMs(): number {
    return this.#open[0]?.endMs ?? Infinity;
  }

  #cell(meter: StageMeter, { at, variant }: RequestLine): RecordCell {
    const { stage, cells } = meter;
    const startMs = Math.floor(at / stage.intervalMs) * stage.intervalMs;
    if (meter.interval?.startMs !== startMs) {
      meter.interval = this.#openInterval(meter, startMs, at);
      cells.stable = null;
      cells.candidate = null;
    }
    cells[variant] ??= meter.interval.cell(stratumOf(stage), variant);
    return cells[variant];
  }

  #openInterval({ stage, generation, shared, beganAt }: StageMeter, startMs: number, at: number): IntervalCell {
    // As a router does: of the interval in which the stage began only what came after it belongs to the stage.
    const began = beganAt ?? at;
    const isWarmup = Math.max(startMs, began) < began + stage.warmupMs;
    const interval = new IntervalCell(generation, startMs, isWarmup, shared);
    this.#open = [...this.#open, interval].toSorted(
      (left, right) => left.endMs - right.endMs || left.generation.generation - right.generation.generation,
    );
    return interval;
  }

  #outcomeOf(request: RequestLine): Outcome {
    const { error } = request;
    return {
      end: error === null ? 'complete' : error === 'aborted' ? 'aborted' : 'error',
      errorClass: error === 'aborted' ? null : error,
      status: null,
      latencyMs: request.latencyMs ?? 0,
      ttftMs: request.ttftMs,
      facts: this.#factsOf(request),
    };
  }

  /** What a router would have read of the answer, if one came. */
  #factsOf(request: RequestLine): Outcome['facts'] {
    const { error, refused } = request;
    if (error === null) return { complete: true, usage: this.#usageOf(request), refused, issuedIds: [] };
    if (error === 'aborted' || error === 'timeout' || error === 'connect') return null;
    // An answer that is an error has no text to judge, but a filter that blocked the request says so by one.
    const classified = error === 'broken' || refused === true ? refused : null;
    return { complete: false, usage: null, refused: classified, issuedIds: [] };
  }

  #usageOf({ promptTokens, cachedTokens, completionTokens }: RequestLine) {
    if (promptTokens === null && completionTokens === null) return null;
    // Counted as 0 they would sway a comparison of tokens.
    if (completionTokens === null && this.#comparesTokens) return null;
    return { promptTokens: promptTokens ?? 0, cachedTokens, completionTokens: completionTokens ?? 0 };
  }

  /** Its unit has completed a request on this variant before this one began. */
  #isWarm(meter: StageMeter, request: RequestLine, mark: UnitMark | null): boolean {
    if (mark === null || !this.#comparesCaches) return false;
    while (this.#completions.earliest <= request.at) {
      const completion = this.#completions.take();
      completion?.filter.add(completion.mark);
    }
    const filter = meter.seen[request.variant];
    const isWarm = filter.has(mark);
    if (request.error === null && !isWarm) {
      this.#completions.add(request.at + (request.latencyMs ?? 0), { filter, mark });
    }
    return isWarm;
  }

  #unitOf(name: string): KnownUnit {
    const known = this.#units.get(name);
    if (known !== undefined) return known;
    const unit = this.#olderUnits.get(name) ?? {
      mark: markUnit(this.#hash, name),
      sampleHash: sampleHash(this.#hash, FILE_SALT, name),
    };
    if (this.#units.size >= KEPT_UNITS) {
      this.#olderUnits = this.#units;
      this.#units = new Map();
    }
    this.#units.set(name, unit);
    return unit;
  }

  /** A request without a unit stands for itself: in turn, so that the same file gives the same digits. */
  #nextBucket(): number {
    this.#withoutUnit = (this.#withoutUnit + 1) % BUCKETS;
    return this.#withoutUnit;
  }
}

/** In a mirrored stage a file holds the requests that were mirrored. */
function stratumOf(stage: StagePlan): Stratum {
  return stage.mirror.share > 0 ? PAIRED : SERVED;
}

function assign(meter: StageMeter, cell: RecordCell, variant: Variant, unit: KnownUnit | null): void {
  if (unit === null) cell.assignAlone();
  else if (meter.assigned.offer(unit.sampleHash, variant)) cell.assign(unit.sampleHash);
}

function meterOf(plan: Plan, stage: StagePlan, index: number): StageMeter {
  return {
    stage,
    generation: {
      rollout: rolloutId(`${plan.route}@1970-01-01T00:00:00Z`),
      generation: index + 1,
      stage: stage.name,
      replica: 'file',
      process: 'file',
      intervalMs: stage.intervalMs,
      requestTimeoutMs: plan.requestTimeoutMs,
    },
    shared: sharedHistograms(meteringFor(plan, stage, {})),
    seen: { stable: new UnitFilter(), candidate: new UnitFilter() },
    assigned: new AssignedUnits(),
    beganAt: null,
    interval: null,
    cells: { stable: null, candidate: null },
  };
}
