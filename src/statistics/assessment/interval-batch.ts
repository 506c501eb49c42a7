import type { EvidenceRecord, PAIRED as PairedStratum, StoredRating } from '../../evidence/record.js';
import type { Plan, StagePlan } from '../../plan/types.js';
import { recordError, requireRating, requireRecord } from './check-record.js';
import type { RecordRules } from './check-record.js';

/** Types only cross from evidence to statistics, so the word is repeated here and held equal by the compiler. */
const PAIRED: typeof PairedStratum = 'paired';

/** A record that may be used. */
export interface UsedRecord {
  readonly record: EvidenceRecord;
  readonly stageIndex: number;
  readonly stage: StagePlan;
  /** Its stratum is compared in its stage: in a mirrored stage only the requests that were mirrored are. */
  readonly compared: boolean;
}

/** One process's part of one interval; incomplete when it lost something in any stratum. */
export interface Slice {
  readonly stageIndex: number;
  readonly incomplete: boolean;
}

/** Where evidence is missing: a stratum of an interval, which is then left out with both variants. */
export interface LostPart {
  readonly stageIndex: number;
  readonly generation: number;
  readonly intervalStart: number;
  readonly intervalMs: number;
  readonly stratum: string;
}

/** All that was closed at one interval end, in canonical order. */
export interface IntervalBatch {
  readonly intervalEnd: number;
  readonly records: readonly UsedRecord[];
  readonly slices: readonly Slice[];
  /** Of any process. */
  readonly lost: readonly LostPart[];
  /** Ratings that became known since the interval end before, in order of (knownAfter, start, nonce). */
  readonly ratings: readonly StoredRating[];
}

/**
 * Checks records and puts them into batches of one interval end each, ascending, in an order that depends on nothing but
 * their keys. A record given twice counts once, the higher revision wins. Where a process lost part of an interval, its
 * stratum is left out of that interval with both variants: which records stay must never depend on outcomes.
 *
 * Throws `evidence-invalid` on a record that cannot be true, before anything is used.
 */
export function intervalBatches(
  records: readonly EvidenceRecord[],
  plan: Plan,
  rules: RecordRules,
  ratings: readonly StoredRating[] = [],
): readonly IntervalBatch[] {
  for (const record of records) requireRecord(record, rules);
  for (const rating of ratings) requireRating(rating);
  const byEnd = new Map<number, EvidenceRecord[]>();
  for (const record of withoutDuplicates(records.toSorted(compareKeys))) {
    const end = endOf(record);
    const group = byEnd.get(end);
    if (group) group.push(record);
    else byEnd.set(end, [record]);
  }
  const waiting = ratings.toSorted(compareRatings);
  return [...byEnd].map(([intervalEnd, group]) => {
    const later = waiting.findIndex(({ knownAfter }) => knownAfter >= intervalEnd);
    const known = waiting.splice(0, later < 0 ? waiting.length : later);
    return { ...batchOf(intervalEnd, group, plan, rules), ratings: known };
  });
}

function compareRatings(left: StoredRating, right: StoredRating): number {
  return (
    left.knownAfter - right.knownAfter ||
    left.requestStartedAt - right.requestStartedAt ||
    compareText(left.nonce, right.nonce)
  );
}

/** End of a record's interval, Unix ms. */
function endOf(record: EvidenceRecord): number {
  return record.intervalStart + record.intervalMs;
}

function batchOf(
  intervalEnd: number,
  records: readonly EvidenceRecord[],
  plan: Plan,
  rules: RecordRules,
): Omit<IntervalBatch, 'ratings'> {
  const slices = new Map<string, Slice>();
  const lost = new Set<string>();
  const lostParts: LostPart[] = [];
  const used: UsedRecord[] = [];
  for (const record of records) {
    const slice = sliceKey(record);
    const incomplete = record.incomplete || (slices.get(slice)?.incomplete ?? false);
    const stageIndex = stageIndexOf(record, rules);
    slices.set(slice, { stageIndex, incomplete });
    if (!record.incomplete) continue;
    lost.add(stratumKey(record));
    const { generation, intervalStart, intervalMs, stratum } = record;
    lostParts.push({ stageIndex, generation, intervalStart, intervalMs, stratum });
  }
  for (const record of records) {
    if (lost.size > 0 && lost.has(stratumKey(record))) continue;
    const stageIndex = stageIndexOf(record, rules);
    const stage = plan.stages[stageIndex];
    if (!stage) throw recordError(record, 'its stage is none of the plan');
    const compared = stage.mirror.share === 0 || record.stratum === PAIRED;
    used.push({ record, stageIndex, stage, compared });
  }
  return { intervalEnd, records: used, slices: [...slices.values()], lost: lostParts };
}

function stageIndexOf(record: EvidenceRecord, rules: RecordRules): number {
  const index = rules.stages.get(record.stage);
  if (index === undefined) throw recordError(record, 'its stage is none of the plan');
  return index;
}

function sliceKey(record: EvidenceRecord): string {
  const { generation, intervalStart, replica, process } = record;
  // The lengths keep two names apart that together read alike.
  return `${generation} ${intervalStart} ${replica.length} ${replica} ${process}`;
}

function stratumKey(record: EvidenceRecord): string {
  return `${record.stratum.length} ${record.stratum} ${sliceKey(record)}`;
}

function withoutDuplicates(sorted: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const unique: EvidenceRecord[] = [];
  for (const record of sorted) {
    const previous = unique.at(-1);
    if (!previous || compareKeys(previous, record) !== 0) {
      unique.push(record);
    } else if (previous.revision < record.revision) {
      unique[unique.length - 1] = record;
    } else if (previous.revision === record.revision && JSON.stringify(previous) !== JSON.stringify(record)) {
      throw recordError(record, `revision ${record.revision} came twice with different counts`);
    }
  }
  return unique;
}

/** Order of use, and beyond it any order that two machines agree on. */
function compareKeys(left: EvidenceRecord, right: EvidenceRecord): number {
  return (
    endOf(left) - endOf(right) ||
    left.generation - right.generation ||
    left.intervalStart - right.intervalStart ||
    compareText(left.stage, right.stage) ||
    compareText(left.stratum, right.stratum) ||
    compareText(left.variant, right.variant) ||
    compareText(left.replica, right.replica) ||
    compareText(left.process, right.process)
  );
}

/** By code units, not by language: the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
