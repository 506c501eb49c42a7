import { PAIRED, SERVED } from '../../evidence/record.js';
import type { EvidencePage, RecentStarts } from '../../evidence/record.js';
import type { Split } from '../../plan/split.js';
import type { Variant } from '../../plan/types.js';
import type { UnitMark } from '../choice.js';
import type { Outcome } from '../proxy/outcome.js';
import { AssignedUnits } from './assigned-units.js';
import type { GenerationKey, IntervalCell, Stratum } from './interval-cell.js';
import { sharedHistograms } from './measures.js';
import type { SharedHistogram } from './measures.js';
import { RecentStartsWindow } from './recent-starts.js';
import type { StartKind } from './recent-starts.js';
import type { DropReason, RecordCell } from './record-cell.js';
import { UnitFilter } from './unit-filter.js';

/** A request that counts, from its start to its end. */
export interface Trial {
  /** Once. */
  finish(outcome: Outcome): void;
  /** A mirrored request that could not be sent after all. */
  drop(reason: DropReason): void;
}

export interface TrialStart {
  readonly variant: Variant;
  readonly stratum: Stratum;
  /** null = the request has no unit: it is a unit by itself. */
  readonly mark: UnitMark | null;
  /** Its unit's hash for the sample ratio, null = no unit; only asked of what is `served`, a pair is on both sides. */
  readonly sampleHash: bigint | null;
  /** Both halves of a pair begin at the same moment, and so in the same interval. */
  readonly startedWallMs: number;
  readonly startedMonotonicMs: number;
}

const ALL_KINDS: Readonly<Record<Variant, readonly StartKind[]>> = {
  stable: [
    { variant: 'stable', paired: true },
    { variant: 'stable', paired: false },
  ],
  candidate: [
    { variant: 'candidate', paired: true },
    { variant: 'candidate', paired: false },
  ],
};

/** The meter of one generation of a rollout's split. `interval` finds or opens the interval of a start (Unix ms). */
export class GenerationMeter {
  readonly key: GenerationKey;
  readonly #interval: (startedWallMs: number, meter: GenerationMeter) => IntervalCell;
  readonly #activatedAtMs: number;
  readonly #warmupEndMs: number;
  readonly #mirror: Split['mirror'];
  readonly #seen: Readonly<Record<Variant, UnitFilter>> = { stable: new UnitFilter(), candidate: new UnitFilter() };
  readonly #assigned = new AssignedUnits();
  readonly #recent = new RecentStartsWindow();
  readonly #mirrored = { chosen: 0, dropped: 0, answered: 0 };
  readonly shared: readonly SharedHistogram[];

  constructor(
    key: GenerationKey,
    split: Split,
    activatedAtMs: number,
    interval: (startedWallMs: number, meter: GenerationMeter) => IntervalCell,
  ) {
    this.key = key;
    this.shared = sharedHistograms(split.metering);
    this.#mirror = split.mirror;
    this.#activatedAtMs = activatedAtMs;
    this.#warmupEndMs = activatedAtMs + split.metering.warmupMs;
    this.#interval = interval;
  }

  get mirrored(): EvidencePage['open']['mirror'] {
    return { ...this.#mirrored };
  }

  /** True when the interval, or what of it belongs to this generation, begins within the warm-up. */
  isWarmup(intervalStartMs: number): boolean {
    return Math.max(intervalStartMs, this.#activatedAtMs) < this.#warmupEndMs;
  }

  begin(start: TrialStart): Trial {
    const { variant, stratum, mark, startedMonotonicMs } = start;
    const interval = this.#interval(start.startedWallMs, this);
    const cell = interval.cell(stratum, variant);
    const kind: StartKind = { variant, paired: stratum === PAIRED };
    const mirrored = kind.paired && variant === this.#mirror.variant;
    const warm = mark !== null && this.#seen[variant].has(mark);
    cell.start();
    if (stratum === SERVED) this.#assign(cell, start);
    interval.inFlight += 1;
    this.#recent.start(kind, startedMonotonicMs);
    if (mirrored) this.#mirrored.chosen += 1;
    return {
      finish: (outcome) => {
        interval.inFlight -= 1;
        if (mark !== null && outcome.end === 'complete') this.#seen[variant].add(mark);
        if (mirrored && outcome.status !== null) this.#mirrored.answered += 1;
        this.#recent.finish(kind, startedMonotonicMs, failsHard(outcome));
        // A request without a unit stands for itself: any bucket is as good as another.
        if (!interval.closed) cell.finish(outcome, mark?.bucket ?? Math.floor(Math.random() * 64), warm);
      },
      drop: (reason) => {
        interval.inFlight -= 1;
        this.#mirrored.dropped += 1;
        this.#recent.finish(kind, startedMonotonicMs, false);
        if (!interval.closed) cell.drop(reason, true);
      },
    };
  }

  #assign(cell: RecordCell, { sampleHash, variant }: TrialStart): void {
    if (sampleHash === null) cell.assignAlone();
    else if (this.#assigned.offer(sampleHash, variant)) cell.assign(sampleHash);
  }

  /** A unit was sampled for mirroring and its request is not mirrored, which was decided before anything was sent. */
  dropBeforeSending(reason: DropReason, startedWallMs: number): void {
    this.#mirrored.chosen += 1;
    this.#mirrored.dropped += 1;
    this.#interval(startedWallMs, this).cell(PAIRED, this.#mirror.variant).drop(reason, false);
  }

  /**
   * Starts of the last 60 s. The variant that is mirrored is seen through its mirrored requests. Beside a mirrored
   * candidate stable counts by the same requests; a candidate that serves counts by everything it serves.
   */
  recentStarts(nowMonotonicMs: number, overdueMs: number): Readonly<Record<Variant, RecentStarts>> {
    const paired = this.#mirror.share > 0 && this.#mirror.variant === 'candidate';
    const read = (variant: Variant): RecentStarts => {
      const kinds = ALL_KINDS[variant].filter((kind) => kind.paired || !paired);
      return this.#recent.read(kinds, nowMonotonicMs, overdueMs);
    };
    return { stable: read('stable'), candidate: read('candidate') };
  }
}

/** Errors that the hard stop counts: a rate limit says nothing of the model. */
function failsHard(outcome: Outcome): boolean {
  return outcome.errorClass !== null && outcome.errorClass !== 'rate-limit';
}
