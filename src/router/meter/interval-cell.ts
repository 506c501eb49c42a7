import { PAIRED, SERVED } from '../../evidence/record.js';
import type { EvidenceRecord } from '../../evidence/record.js';
import type { RolloutId, StageName } from '../../plan/ids.js';
import type { Variant } from '../../plan/types.js';
import type { SharedHistogram } from './measures.js';
import { RecordCell } from './record-cell.js';

export type Stratum = typeof PAIRED | typeof SERVED;

/** What the records of a generation have in common. */
export interface GenerationKey {
  readonly rollout: RolloutId;
  readonly generation: number;
  readonly stage: StageName;
  readonly replica: string;
  readonly process: string;
  readonly intervalMs: number;
  readonly requestTimeoutMs: number;
}

/** How long after a request's own limit an interval still waits for it. */
const GRACE_MS = 10_000;

const STRATA: readonly Stratum[] = [PAIRED, SERVED];
const VARIANTS: readonly Variant[] = ['stable', 'candidate'];

/** One interval of one generation until it is closed. */
export class IntervalCell {
  readonly generation: GenerationKey;
  /** Unix ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly #warmup: boolean;
  readonly #shared: readonly SharedHistogram[];
  readonly #cells = new Map<string, RecordCell>();
  inFlight = 0;
  closed = false;

  constructor(generation: GenerationKey, startMs: number, warmup: boolean, shared: readonly SharedHistogram[]) {
    this.generation = generation;
    this.startMs = startMs;
    this.endMs = startMs + generation.intervalMs;
    this.#warmup = warmup;
    this.#shared = shared;
  }

  cell(stratum: Stratum, variant: Variant): RecordCell {
    const key = `${stratum} ${variant}`;
    const existing = this.#cells.get(key);
    if (existing !== undefined) return existing;
    const created = new RecordCell(this.#shared);
    this.#cells.set(key, created);
    return created;
  }

  /** Its time is over and its requests have finished, or have had all the time that they may take. */
  closable(nowMs: number): boolean {
    if (nowMs < this.endMs) return false;
    return this.inFlight === 0 || nowMs >= this.endMs + this.generation.requestTimeoutMs + GRACE_MS;
  }

  /** From here on nothing is counted. What is still in flight is late. */
  close(): readonly EvidenceRecord[] {
    this.closed = true;
    const { rollout, generation, stage, replica, process, intervalMs } = this.generation;
    const records: EvidenceRecord[] = [];
    for (const stratum of STRATA) {
      const lost = VARIANTS.some((variant) => this.#cells.get(`${stratum} ${variant}`)?.incomplete === true);
      for (const variant of VARIANTS) {
        const cell = this.#cells.get(`${stratum} ${variant}`);
        if (cell === undefined) continue;
        const key = { rollout, generation, stage, intervalStart: this.startMs, stratum, variant, replica, process };
        const record = cell.toRecord(key, { intervalMs, warmup: this.#warmup });
        // Both sides or none: a pair that lost one half says nothing by the other.
        records.push(lost ? { ...record, incomplete: true } : record);
      }
    }
    return records;
  }
}
