import { Assessments } from '../../activities/assessments.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import type { AssessmentReading } from '../../src/evidence/look.js';
import type { Ledger, RolloutRow } from '../../src/ledger/ledger.js';
import { BEGIN } from './week-evidence.js';
import type { WeekEvidence } from './week-evidence.js';
import { INTERVAL_MS } from './week-plan.js';

/** Intervals of one commit, as a worker that was away collects them. */
const PER_COMMIT = 500;

/** Files the first `intervals` intervals; returns seconds. */
export async function fillLedger(ledger: Ledger, evidence: WeekEvidence, intervals: number): Promise<number> {
  const started = performance.now();
  for (let first = 0; first < intervals; first += PER_COMMIT) {
    const indexes = Array.from({ length: Math.min(PER_COMMIT, intervals - first) }, (_, which) => first + which);
    const records = indexes.flatMap((index) => evidence.interval(index));
    const [record] = records;
    if (!record) continue;
    await ledger.commitEvidence({
      rollout: record.rollout,
      records,
      ratings: indexes.flatMap((index) => evidence.ratings(index)),
      closedThrough: endOf(first + indexes.length),
    });
  }
  return secondsSince(started);
}

export interface Rebuild {
  /** From the first row to the reading, and how it was spent, seconds. */
  readonly total: number;
  /** Processor time of the whole process meanwhile, seconds: what it takes when nobody else wants the machine. */
  readonly processor: number;
  readonly reading: number;
  readonly assessing: number;
  readonly peakMb: number;
  readonly result: AssessmentReading;
}

/** A worker that knows nothing reads the whole rollout. */
export async function rebuild(ledger: Ledger, row: RolloutRow, intervals: number): Promise<Rebuild> {
  const timed = new TimedLedger(ledger);
  const before = process.cpuUsage();
  const started = performance.now();
  const result = await new Assessments(timed).readAt(row, endOf(intervals), options(), (assessment) =>
    assessment.read(stageOf(row), { promoteFromGeneration: 0 }),
  );
  const total = secondsSince(started);
  const processor = processorSeconds(before);
  const reading = timed.spentMs / 1000;
  return {
    total,
    processor,
    reading,
    assessing: total - reading,
    peakMb: process.resourceUsage().maxRSS / 1024,
    result,
  };
}

export interface Looks {
  /** Intervals that the stage had when the first of them was taken. */
  readonly age: number;
  /** Of each look: one interval more from the ledger, and the reading. */
  readonly medianMs: number;
  readonly worstMs: number;
  /** Processor time of the dearest of them, whatever else the machine does. */
  readonly worstProcessorMs: number;
}

/** Looks of a worker that has followed the stage so far, at several ages of it. */
export async function lookAt(
  ledger: Ledger,
  row: RolloutRow,
  ages: readonly number[],
  looks: number,
): Promise<readonly Looks[]> {
  const assessments = new Assessments(ledger);
  const results: Looks[] = [];
  for (const age of ages) {
    await assessments.foldTo(row, endOf(age), options(), () => undefined);
    const times: number[] = [];
    let worstProcessorMs = 0;
    for (let look = 1; look <= looks; look++) {
      const before = process.cpuUsage();
      const started = performance.now();
      await assessments.foldTo(row, endOf(age + look), options(), (assessment) =>
        assessment.read(stageOf(row), { promoteFromGeneration: 0 }),
      );
      times.push(performance.now() - started);
      worstProcessorMs = Math.max(worstProcessorMs, 1000 * processorSeconds(before));
    }
    times.sort((left, right) => left - right);
    results.push({
      age,
      medianMs: times[Math.floor(looks / 2)] ?? NaN,
      worstMs: times.at(-1) ?? NaN,
      worstProcessorMs,
    });
  }
  return results;
}

/** Says how long its reader waited for the database and for records to be unpacked. */
class TimedLedger implements Pick<Ledger, 'evidence' | 'ratings'> {
  private readonly ledger: Ledger;
  spentMs = 0;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  async *evidence(...range: Parameters<Ledger['evidence']>): AsyncGenerator<readonly EvidenceRecord[]> {
    let started = performance.now();
    for await (const batch of this.ledger.evidence(...range)) {
      this.spentMs += performance.now() - started;
      yield batch;
      started = performance.now();
    }
    this.spentMs += performance.now() - started;
  }

  async ratings(...range: Parameters<Ledger['ratings']>): ReturnType<Ledger['ratings']> {
    const started = performance.now();
    const ratings = await this.ledger.ratings(...range);
    this.spentMs += performance.now() - started;
    return ratings;
  }
}

function endOf(intervals: number): number {
  return BEGIN + intervals * INTERVAL_MS;
}

function options(): { readonly signal: AbortSignal } {
  return { signal: new AbortController().signal };
}

function stageOf(row: RolloutRow): AssessmentReading['stage'] {
  const [stage] = row.plan.stages;
  if (!stage) throw new RangeError('the plan has no stage');
  return stage.name;
}

function processorSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
