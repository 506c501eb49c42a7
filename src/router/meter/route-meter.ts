import type { EvidenceRecord } from '../../evidence/record.js';
import type { Split } from '../../plan/split.js';
import { GenerationMeter } from './generation-meter.js';
import { IntervalCell } from './interval-cell.js';
import { RecentValues } from './recent-values.js';

/** All that is measured of one route: its open intervals, and what stable did last. */
export class RouteMeter {
  readonly recentStable = new RecentValues();
  readonly #replica: string;
  readonly #process: string;
  /** In order of (end, generation, start): the order in which they are closed. */
  readonly #open: IntervalCell[] = [];
  #current: GenerationMeter | null = null;
  #intervalMs = 1;
  #closedThroughMs = 0;

  constructor(replica: string, process: string) {
    this.#replica = replica;
    this.#process = process;
  }

  /** The meter of the generation in force; null when nothing is measured. */
  get current(): GenerationMeter | null {
    return this.#current;
  }

  /** A rollout's split takes effect: what starts from now on is filed under it. */
  begin(split: Split, activatedAtMs: number): GenerationMeter | null {
    if (split.rollout === null || split.stage === null) return this.rest(split);
    const { intervalMs, requestTimeoutMs } = split.metering;
    this.#intervalMs = intervalMs;
    this.#current = new GenerationMeter(
      {
        rollout: split.rollout,
        generation: split.generation,
        stage: split.stage,
        replica: this.#replica,
        process: this.#process,
        intervalMs,
        requestTimeoutMs,
      },
      split,
      activatedAtMs,
      (startedWallMs, meter) => this.#interval(startedWallMs, meter),
    );
    return this.#current;
  }

  /** A split that nobody compares takes effect. */
  rest(split: Split): null {
    this.#intervalMs = split.metering.intervalMs;
    this.#current = null;
    return null;
  }

  /** Closes what can be closed, strictly in order: an interval waits for those before it. */
  close(nowMs: number): readonly EvidenceRecord[] {
    const records: EvidenceRecord[] = [];
    for (let first = this.#open[0]; first?.closable(nowMs) === true; first = this.#open[0]) {
      records.push(...first.close());
      this.#open.shift();
    }
    this.#advance(nowMs);
    return records;
  }

  /** Closes everything: the process ends, and what has finished in it is complete. */
  closeAll(): readonly EvidenceRecord[] {
    return this.#open.splice(0).flatMap((interval) => interval.close());
  }

  /** Every interval that ended at or before this time is closed here, Unix ms. */
  get closedThroughMs(): number {
    return this.#closedThroughMs;
  }

  #advance(nowMs: number): void {
    // The interval that runs now ends after `now`, whether a request started in it or not.
    const ended = Math.floor(nowMs / this.#intervalMs) * this.#intervalMs;
    const firstOpenEnd = this.#open[0]?.endMs ?? Number.POSITIVE_INFINITY;
    const reached = firstOpenEnd > ended ? ended : Math.floor((firstOpenEnd - 1) / this.#intervalMs) * this.#intervalMs;
    this.#closedThroughMs = Math.max(this.#closedThroughMs, reached);
  }

  #interval(startedWallMs: number, meter: GenerationMeter): IntervalCell {
    const { intervalMs, generation } = meter.key;
    const startMs = Math.floor(startedWallMs / intervalMs) * intervalMs;
    // The newest are at the end, and that is where it nearly always is.
    let index = this.#open.length;
    for (; index > 0; index -= 1) {
      const interval = this.#open[index - 1];
      if (interval === undefined) break;
      if (interval.startMs === startMs && interval.generation === meter.key) return interval;
      if (interval.endMs < startMs + intervalMs) break;
      if (interval.endMs === startMs + intervalMs && interval.generation.generation < generation) break;
    }
    const created = new IntervalCell(meter.key, startMs, meter.isWarmup(startMs), meter.shared);
    this.#open.splice(index, 0, created);
    return created;
  }
}
