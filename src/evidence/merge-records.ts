/** Sums evidence over replicas and processes: exact, whatever the order and however often a record comes. */
import { SluiceError } from '../plan/failures.js';
import { compareRecords } from './record-order.js';
import type { EvidenceRecord, Histogram, Rate, UserBuckets } from './record.js';
import { nameOfRecord } from './validate-record.js';

/** What the fleet saw of one interval, stratum and variant under one generation. */
export type FleetRecord = Omit<EvidenceRecord, 'replica' | 'process' | 'revision'>;

type Counts = Readonly<Record<string, number>>;
type Named<Value> = Readonly<Record<string, Value>>;

/**
 * One record per (rollout, generation, stage, interval, stratum, variant), in the order of use. Within a key the highest
 * revision replaces; across replicas and processes counts are added. A sum is `warmup` or `incomplete` when one of its
 * parts is; a rate, a histogram or buckets that only some parts measured are the sum of those.
 *
 * @throws SluiceError `evidence-invalid` when histograms of one name are cut differently or a sum exceeds exact integers
 */
export function mergeRecords(records: readonly EvidenceRecord[]): readonly FleetRecord[] {
  const sums = new Map<string, FleetRecord>();
  for (const record of highestRevisions(records)) {
    const key = intervalKey(record);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? withoutSource(record) : addRecord(sum, record));
  }
  return [...sums.values()];
}

/** One record per key, in the order of use. */
function highestRevisions(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const kept: EvidenceRecord[] = [];
  const sorted = records.toSorted((left, right) => compareRecords(left, right) || left.revision - right.revision);
  for (const record of sorted) {
    const previous = kept.at(-1);
    if (previous !== undefined && compareRecords(previous, record) === 0) kept[kept.length - 1] = record;
    else kept.push(record);
  }
  return kept;
}

function intervalKey(record: FleetRecord): string {
  const { rollout, generation, stage, intervalStart, intervalMs, stratum, variant } = record;
  return JSON.stringify([rollout, generation, stage, intervalStart, intervalMs, stratum, variant]);
}

function withoutSource(record: EvidenceRecord): FleetRecord {
  const { replica: _replica, process: _process, revision: _revision, ...sum } = record;
  return sum;
}

function addRecord(sum: FleetRecord, part: EvidenceRecord): FleetRecord {
  try {
    const cacheMiss = addOptionalRates(sum.cacheMiss, part.cacheMiss);
    const refusal = addOptionalRates(sum.refusal, part.refusal);
    return {
      ...sum,
      warmup: sum.warmup || part.warmup,
      incomplete: sum.incomplete || part.incomplete,
      started: exactSum(sum.started, part.started),
      completed: exactSum(sum.completed, part.completed),
      aborted: exactSum(sum.aborted, part.aborted),
      late: exactSum(sum.late, part.late),
      dropped: addCounts(sum.dropped, part.dropped),
      error: addRates(sum.error, part.error),
      errorsByClass: addCounts(sum.errorsByClass, part.errorsByClass),
      ...(cacheMiss === undefined ? {} : { cacheMiss }),
      ...(refusal === undefined ? {} : { refusal }),
      histograms: addNamed(sum.histograms, part.histograms, addHistograms),
      tokens: {
        prompt: exactSum(sum.tokens.prompt, part.tokens.prompt),
        cached: exactSum(sum.tokens.cached, part.tokens.cached),
        completion: exactSum(sum.tokens.completion, part.tokens.completion),
        responses: exactSum(sum.tokens.responses, part.tokens.responses),
      },
      buckets: addNamed(sum.buckets, part.buckets, addBuckets),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SluiceError('evidence-invalid', `${nameOfRecord(part)} cannot be added: ${error.message}`);
  }
}

function addNamed<Value>(
  left: Named<Value>,
  right: Named<Value>,
  add: (left: Value, right: Value, name: string) => Value,
): Named<Value> {
  const sums: Record<string, Value> = { ...left };
  for (const [name, value] of Object.entries(right)) {
    const known = sums[name];
    sums[name] = known === undefined ? value : add(known, value, name);
  }
  return sums;
}

function addCounts(left: Counts, right: Counts): Counts {
  return addNamed(left, right, exactSum);
}

function addRates(left: Rate, right: Rate): Rate {
  return { trials: exactSum(left.trials, right.trials), events: exactSum(left.events, right.events) };
}

function addOptionalRates(left: Rate | undefined, right: Rate | undefined): Rate | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return addRates(left, right);
}

function addHistograms(left: Histogram, right: Histogram, name: string): Histogram {
  if (left.gamma !== right.gamma || left.xMin !== right.xMin) {
    throw new RangeError(
      `histograms.${name} is cut at gamma ${right.gamma}, xMin ${right.xMin}, another replica's at ${left.gamma}, ` +
        `${left.xMin}; all routers must measure by the same split`,
    );
  }
  return { gamma: left.gamma, xMin: left.xMin, counts: addCounts(left.counts, right.counts) };
}

function addBuckets(left: UserBuckets, right: UserBuckets): UserBuckets {
  return { trials: addCounts(left.trials, right.trials), events: addCounts(left.events, right.events) };
}

function exactSum(left: number, right: number): number {
  const sum = left + right;
  if (Number.isSafeInteger(sum)) return sum;
  throw new RangeError(`${left} + ${right} is no exact integer`);
}
