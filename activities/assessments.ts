/**
 * Assessments that this worker has at hand, one per rollout: built from the ledger once and then folded on. Any worker
 * builds the same one, to the digit; this saves the time.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { intervalEnd } from '../src/evidence/record.js';
import type { EvidenceRecord, StoredRating } from '../src/evidence/record.js';
import type { Ledger, RolloutRow } from '../src/ledger/ledger.js';
import type { RolloutId } from '../src/plan/ids.js';
import { createAssessment } from '../src/statistics/assessment/assessment.js';
import type { Assessment } from '../src/statistics/assessment/assessment.js';
import type { Crossing } from '../src/evidence/look.js';

/** Rollouts kept; the one used longest ago goes first. */
const KEPT = 32;

/** Folding yields to other work of the worker this often, ms. */
const YIELD_MS = 20;

/** What an assessment is built from. */
export type EvidenceLedger = Pick<Ledger, 'evidence' | 'ratings'>;

interface Entry {
  readonly assessment: Assessment;
  /** Folding is done by one at a time: whoever comes second continues where the first stopped. */
  turn: Promise<void>;
}

export interface FoldOptions {
  readonly signal: AbortSignal;
  /** Asked after each interval end; true stops there. */
  readonly stopAt?: (assessment: Assessment) => boolean;
  /** Told while folding goes on. */
  readonly onProgress?: () => void;
}

export class Assessments {
  readonly #ledger: EvidenceLedger;
  readonly #entries = new Map<RolloutId, Entry>();

  constructor(ledger: EvidenceLedger) {
    this.#ledger = ledger;
  }

  /**
   * Brings the rollout's assessment up to `through` (or to where `stopAt` says) and hands it to `work`, which must not
   * keep it.
   * @throws SluiceError `ledger-unavailable`; an error with code `evidence-invalid` that names the record
   */
  async foldTo<Output>(
    row: RolloutRow,
    through: number,
    options: FoldOptions,
    work: (assessment: Assessment) => Output,
  ): Promise<Output> {
    const entry = this.#entryOf(row);
    return this.#inTurn(entry, async () => {
      await this.#fold(entry.assessment, row, through, options);
      return work(entry.assessment);
    });
  }

  /** The same at an exact position: one that lies behind what has been folded is built afresh. */
  async readAt<Output>(
    row: RolloutRow,
    through: number,
    options: FoldOptions,
    work: (assessment: Assessment) => Output,
  ): Promise<Output> {
    const entry = this.#entryOf(row);
    const shared = await this.#inTurn(entry, async () => {
      if (entry.assessment.closedThrough > through) return null;
      await this.#fold(entry.assessment, row, through, options);
      return { output: work(entry.assessment) };
    });
    if (shared !== null) return shared.output;
    const own = createAssessment(row.plan, row.seeds);
    await this.#fold(own, row, through, options);
    return work(own);
  }

  #entryOf(row: RolloutRow): Entry {
    const known = this.#entries.get(row.rollout);
    const entry = known ?? { assessment: createAssessment(row.plan, row.seeds), turn: Promise.resolve() };
    this.#entries.delete(row.rollout);
    this.#entries.set(row.rollout, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > KEPT && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  #inTurn<Output>(entry: Entry, work: () => Promise<Output>): Promise<Output> {
    const done = entry.turn.then(work);
    entry.turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #fold(assessment: Assessment, row: RolloutRow, through: number, options: FoldOptions): Promise<void> {
    if (options.stopAt?.(assessment) === true) return;
    let yieldedAt = performance.now();
    for await (const batch of this.#ledger.evidence(row.rollout, assessment.closedThrough, through)) {
      const ends = byIntervalEnd(batch);
      const ratings = new KnownRatings(await this.#ratings(row, assessment.closedThrough, ends.at(-1)));
      for (const records of ends) {
        options.signal.throwIfAborted();
        assessment.absorb(records, ratings.takeBefore(endOf(records)));
        if (options.stopAt?.(assessment) === true) return;
        if (performance.now() - yieldedAt < YIELD_MS) continue;
        options.onProgress?.();
        await turn();
        yieldedAt = performance.now();
      }
    }
  }

  /** Asked for once a batch of evidence, so that a rebuild of a long rollout is not a query for each interval. */
  async #ratings(
    row: RolloutRow,
    after: number,
    last: readonly EvidenceRecord[] | undefined,
  ): Promise<readonly StoredRating[]> {
    return last === undefined ? [] : this.#ledger.ratings(row.rollout, after, endOf(last));
  }
}

/** Ratings in the order in which assessments come to know them. */
class KnownRatings {
  readonly #ratings: readonly StoredRating[];
  #taken = 0;

  constructor(ratings: readonly StoredRating[]) {
    this.#ratings = ratings;
  }

  /** Takes those known before an interval end. */
  takeBefore(intervalEndMs: number): readonly StoredRating[] {
    const first = this.#taken;
    while ((this.#ratings[this.#taken]?.knownAfter ?? Infinity) < intervalEndMs) this.#taken += 1;
    return this.#ratings.slice(first, this.#taken);
  }
}

/** Guardrails that the workflow has dealt with, by family. */
export interface Dealt {
  readonly hold: readonly string[];
  readonly flag: readonly string[];
}

/** The first breach that the workflow has not dealt with; final, whatever came after it. */
export function firstUndealt(assessment: Pick<Assessment, 'breaches'>, dealt: Dealt): Crossing | null {
  return (
    assessment.breaches.find(({ family, guardrails }) => {
      if (family === 'rollback') return true;
      return guardrails.some((name) => !dealt[family].includes(name));
    }) ?? null
  );
}

/** Of records that share it. */
function endOf([first]: readonly EvidenceRecord[]): number {
  return first === undefined ? 0 : intervalEnd(first);
}

/** Batches hold whole interval ends, in order; each end is used by itself. */
function byIntervalEnd(batch: readonly EvidenceRecord[]): readonly (readonly EvidenceRecord[])[] {
  const groups = new Map<number, EvidenceRecord[]>();
  for (const record of batch) {
    const end = intervalEnd(record);
    const group = groups.get(end);
    if (group === undefined) groups.set(end, [record]);
    else group.push(record);
  }
  return [...groups.values()];
}
