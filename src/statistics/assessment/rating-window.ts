import type { StoredRating } from '../../evidence/record.js';
import type { StagePlan } from '../../plan/types.js';
import { compareText } from './interval-batch.js';
import type { IntervalBatch } from './interval-batch.js';
import { addRating, addServed, emptyRatedVariant, ratingsOf } from './rated-interval.js';
import type { RatedInterval } from './rated-interval.js';

/** Ratings that are kept in the ledger and not tested, by the reason. */
export interface LeftOutRatings {
  /** They came later after their request than the horizon of its stage. */
  afterHorizon: number;
  /** Their interval had been used when they became known. */
  late: number;
  /** No record tells of the generation of their request. */
  unknownGeneration: number;
  otherRollout: number;
  /** A process lost a part of their interval. */
  lostInterval: number;
}

/** What is known of a generation: the records that came under it tell. */
interface Generation {
  readonly generation: number;
  readonly stageIndex: number;
  readonly intervalMs: number;
}

/** The window's state as plain data. */
export interface RatingWindowSnapshot {
  readonly rollout: string | null;
  readonly through: number;
  readonly generations: readonly Generation[];
  readonly pending: readonly RatedInterval[];
  readonly early: readonly StoredRating[];
  readonly leftOut: LeftOutRatings;
}

/**
 * Files ratings under the interval of the request that earned them and gives the intervals out, each once and in order,
 * when the feedback horizon of their stage is over: at the first interval end that is at least the horizon behind their
 * own. Filing by arrival would, after a ramp, compare young ratings of the candidate with old ones of stable (method §5.1).
 *
 * Memory holds what lies within the horizon, however long the rollout.
 */
export class RatingWindow {
  readonly leftOut: LeftOutRatings;
  private readonly stages: readonly StagePlan[];
  private readonly countsRequests: boolean;
  /** A request's interval has ended at the latest this long after its start, ms. */
  private readonly longestIntervalMs: number;
  private readonly generations = new Map<number, Generation>();
  /** By the time at which they are given out, and these times in ascending order. */
  private readonly pending = new Map<number, RatedInterval[]>();
  private readonly dueTimes: number[] = [];
  /** Ratings of a generation of which no interval has ended yet. */
  private early: readonly StoredRating[];
  private rollout: string | null;
  /** The last interval end used, Unix ms. */
  private through: number;

  /** @param counts with `requests`, the requests that ratings could be of are counted beside them */
  constructor(stages: readonly StagePlan[], counts: 'ratings' | 'ratings and requests', from?: RatingWindowSnapshot) {
    this.countsRequests = counts === 'ratings and requests';
    this.stages = stages;
    this.longestIntervalMs = Math.max(0, ...stages.map(({ intervalMs }) => intervalMs));
    this.leftOut = {
      afterHorizon: 0,
      late: 0,
      unknownGeneration: 0,
      otherRollout: 0,
      lostInterval: 0,
      ...from?.leftOut,
    };
    this.early = from?.early ?? [];
    this.rollout = from?.rollout ?? null;
    this.through = from?.through ?? 0;
    for (const one of from?.generations ?? []) this.generations.set(one.generation, one);
    for (const interval of from?.pending ?? []) {
      const generation = this.generations.get(interval.generation);
      if (generation) this.at(this.dueOf(generation, interval.intervalStart)).push(structuredClone(interval));
    }
  }

  /** Takes the records and ratings of one interval end, and gives out what is due by then. */
  take(batch: IntervalBatch): readonly RatedInterval[] {
    for (const { record, stageIndex } of batch.records) {
      this.rollout ??= record.rollout;
      const { generation, intervalMs, intervalStart, stratum } = record;
      const interval = this.interval({ generation, stageIndex, intervalMs }, intervalStart, stratum);
      interval.warmup ||= record.warmup;
      if (this.countsRequests) addServed(interval.variants[record.variant], record);
    }
    for (const { generation, stageIndex, intervalMs, intervalStart, stratum } of batch.lost) {
      this.interval({ generation, stageIndex, intervalMs }, intervalStart, stratum).lost = true;
    }
    const waiting = [...this.early, ...batch.ratings];
    this.early = waiting.filter((rating) => !this.file(rating, batch.intervalEnd));
    this.through = batch.intervalEnd;
    return this.takeDue().filter((interval) => {
      if (!interval.lost) return true;
      this.leftOut.lostInterval += ratingsOf(interval.variants.stable) + ratingsOf(interval.variants.candidate);
      return false;
    });
  }

  /** Ratings that wait for the horizon of their stage, or for the first records of their generation. */
  get waiting(): number {
    let waiting = this.early.length;
    for (const intervals of this.pending.values()) {
      for (const { variants } of intervals) waiting += ratingsOf(variants.stable) + ratingsOf(variants.candidate);
    }
    return waiting;
  }

  snapshot(): RatingWindowSnapshot {
    return {
      rollout: this.rollout,
      through: this.through,
      generations: [...this.generations.values()].toSorted((left, right) => left.generation - right.generation),
      pending: this.dueTimes.flatMap((due) => inOrder(this.pending.get(due) ?? [])).map((one) => structuredClone(one)),
      early: [...this.early],
      leftOut: { ...this.leftOut },
    };
  }

  /** False when it has to wait for the first records of its generation. */
  private file(rating: StoredRating, intervalEnd: number): boolean {
    if (this.rollout !== null && rating.rollout !== this.rollout) {
      this.leftOut.otherRollout++;
      return true;
    }
    const generation = this.generations.get(rating.generation);
    if (!generation) {
      if (rating.requestStartedAt + this.longestIntervalMs > intervalEnd) return false;
      this.leftOut.unknownGeneration++;
      return true;
    }
    const intervalStart = Math.floor(rating.requestStartedAt / generation.intervalMs) * generation.intervalMs;
    if (rating.ratedAt - rating.requestStartedAt > this.horizonOf(generation)) this.leftOut.afterHorizon++;
    else if (this.dueOf(generation, intervalStart) <= this.through) this.leftOut.late++;
    else addRating(this.interval(generation, intervalStart, rating.stratum).variants[rating.variant], rating);
    return true;
  }

  private interval(generation: Generation, intervalStart: number, stratum: string): RatedInterval {
    const known = this.generations.get(generation.generation) ?? generation;
    this.generations.set(known.generation, known);
    const held = this.at(this.dueOf(known, intervalStart));
    const found = held.find(
      (one) => one.generation === known.generation && one.intervalStart === intervalStart && one.stratum === stratum,
    );
    if (found) return found;
    const interval: RatedInterval = {
      stageIndex: known.stageIndex,
      generation: known.generation,
      intervalStart,
      stratum,
      warmup: false,
      lost: false,
      variants: { stable: emptyRatedVariant(), candidate: emptyRatedVariant() },
    };
    held.push(interval);
    return interval;
  }

  /** When an interval is given out, Unix ms. */
  private dueOf(generation: Generation, intervalStart: number): number {
    return intervalStart + generation.intervalMs + this.horizonOf(generation);
  }

  private horizonOf({ stageIndex }: Generation): number {
    return this.stages[stageIndex]?.feedbackHorizonMs ?? 0;
  }

  /** The intervals given out at a time. */
  private at(due: number): RatedInterval[] {
    const known = this.pending.get(due);
    if (known) return known;
    const held: RatedInterval[] = [];
    this.pending.set(due, held);
    // Nearly always the latest.
    let place = this.dueTimes.length;
    while (place > 0 && (this.dueTimes[place - 1] ?? 0) > due) place--;
    this.dueTimes.splice(place, 0, due);
    return held;
  }

  private takeDue(): readonly RatedInterval[] {
    const firstLater = this.dueTimes.findIndex((due) => due > this.through);
    const due = this.dueTimes.splice(0, firstLater < 0 ? this.dueTimes.length : firstLater);
    return due.flatMap((time) => {
      const held = this.pending.get(time) ?? [];
      this.pending.delete(time);
      return inOrder(held);
    });
  }
}

/** An order that depends on nothing but the intervals' places. */
function inOrder(intervals: readonly RatedInterval[]): readonly RatedInterval[] {
  return intervals.toSorted(
    (left, right) =>
      left.generation - right.generation ||
      left.intervalStart - right.intervalStart ||
      compareText(left.stratum, right.stratum),
  );
}
