import type { Assigned, EvidenceRecord, Histogram, Rate, RatingRecord } from '../../evidence/record.js';
import type { HistogramSpec } from '../../plan/types.js';
import { StatisticsError } from '../errors.js';
import { keepSortedBuckets } from '../histogram.js';
import type { SortedBuckets } from '../histogram.js';
import { AssessmentError } from './assessment-error.js';
import { userBucketsProblem } from './check-user-buckets.js';

/** Far beyond any latency or token count in buckets of 1.84 %; a larger index is a fault. */
const LARGEST_BUCKET = 1_000_000;

/** The one way to write a unit's hash, so that equal units are equal texts. */
const UNIT_HASH = /^[0-9a-f]{16}$/;

/** What a record must agree with. */
export interface RecordRules {
  /** Index in the plan, by stage name. */
  readonly stages: ReadonlyMap<string, number>;
  /** How the plan cuts the histograms that it compares, by guardrail name. */
  readonly histograms: ReadonlyMap<string, HistogramSpec>;
}

/** The record's key in words, so that a person can find it in the ledger. */
export function nameOfRecord(record: EvidenceRecord): string {
  return (
    `evidence record (rollout ${record.rollout}, generation ${record.generation}, stage ${record.stage}, ` +
    `intervalStart ${record.intervalStart}, stratum ${record.stratum}, variant ${record.variant}, ` +
    `replica ${record.replica}, process ${record.process})`
  );
}

/** An `evidence-invalid` error about one record: its key, what is wrong with it, and what to do. */
export function recordError(record: EvidenceRecord, problem: string): AssessmentError {
  return new AssessmentError(
    'evidence-invalid',
    `${nameOfRecord(record)}: ${problem}; nothing of its interval was used, mend the router that wrote it`,
  );
}

/**
 * Refuses a record that cannot be true: wrong evidence must stop a rollout for a person, never sway it.
 *
 * Counts are non-negative integers, events never exceed trials, errors by class never exceed the errors, a latency
 * histogram holds each trial once (a time to first token at most once), histograms are cut as the plan cuts them, and
 * counts by user hold no more than their metric.
 * Throws `evidence-invalid` naming the record's key, the field and its value.
 */
export function requireRecord(record: EvidenceRecord, rules: RecordRules): void {
  if (!rules.stages.has(record.stage)) {
    throw recordError(record, `its stage is none of the plan's (${[...rules.stages.keys()].join(', ')})`);
  }
  requireCount(record, 'generation', record.generation);
  requireCount(record, 'intervalStart', record.intervalStart);
  requireCount(record, 'intervalMs', record.intervalMs);
  if (record.intervalMs === 0) throw recordError(record, 'intervalMs is 0');
  requireCount(record, 'revision', record.revision);
  requireCount(record, 'started', record.started);
  requireCount(record, 'completed', record.completed);
  requireCount(record, 'aborted', record.aborted);
  requireCount(record, 'late', record.late);
  for (const [reason, count] of Object.entries(record.dropped)) requireCount(record, `dropped.${reason}`, count);

  requireRate(record, 'error', record.error);
  if (record.cacheMiss) requireRate(record, 'cacheMiss', record.cacheMiss);
  if (record.refusal) requireRate(record, 'refusal', record.refusal);
  if (record.aborted > record.error.trials) {
    throw recordError(record, `aborted ${record.aborted} exceeds error.trials ${record.error.trials}`);
  }
  let classified = 0;
  for (const [errorClass, count] of Object.entries(record.errorsByClass)) {
    requireCount(record, `errorsByClass.${errorClass}`, count);
    classified += count;
  }
  if (classified > record.error.events) {
    throw recordError(record, `errorsByClass sums to ${classified}, above error.events ${record.error.events}`);
  }
  const read = new Map<Histogram['counts'], SortedBuckets>();
  for (const [name, histogram] of Object.entries(record.histograms)) {
    requireHistogram(record, name, histogram, rules.histograms.get(name), read);
  }
  const users = userBucketsProblem(record);
  if (users !== null) throw recordError(record, users);
  if (record.assigned) requireAssigned(record, record.assigned);
}

/** Refuses a rating that cannot be true. Throws `evidence-invalid` naming its nonce. */
export function requireRating(rating: RatingRecord): void {
  const { userBucket } = rating;
  const isScore = (score: number): boolean => Number.isInteger(score) && score >= 1 && score <= 5;
  let problem: string | null = null;
  if (rating.rating.kind === 'score' && !isScore(rating.rating.score)) {
    problem = `its score is ${rating.rating.score}, not one of 1 to 5`;
  } else if (!Number.isFinite(rating.requestStartedAt) || !Number.isFinite(rating.ratedAt)) {
    problem = `its request started at ${rating.requestStartedAt} and it came at ${rating.ratedAt}`;
  } else if (userBucket !== null && !(isCount(userBucket) && userBucket < 64)) {
    problem = `its userBucket is ${userBucket}, not one of 0 to 63`;
  }
  if (problem === null) return;
  throw new AssessmentError(
    'evidence-invalid',
    `rating ${rating.nonce} of rollout ${rating.rollout}: ${problem}; nothing of its interval was used, mend the ` +
      'router that wrote it',
  );
}

/** Each unit once and in its one form, and each of them and each request without a unit has started. */
function requireAssigned(record: EvidenceRecord, { units, alone }: Assigned): void {
  requireCount(record, 'assigned.alone', alone);
  const broken = units.find((unit) => !UNIT_HASH.test(unit));
  if (broken !== undefined) throw recordError(record, `assigned.units has "${broken}", not 16 hex digits`);
  if (new Set(units).size < units.length) throw recordError(record, 'assigned.units has a unit twice');
  if (units.length + alone > record.started) {
    throw recordError(
      record,
      `assigned has ${units.length} units and ${alone} requests without one, above started ${record.started}`,
    );
  }
}

function requireCount(record: EvidenceRecord, path: string, count: number): void {
  if (!isCount(count)) {
    throw recordError(record, `${path} is ${count}, not a non-negative integer`);
  }
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}

function requireRate(record: EvidenceRecord, path: string, rate: Rate): void {
  requireCount(record, `${path}.trials`, rate.trials);
  requireCount(record, `${path}.events`, rate.events);
  if (rate.events > rate.trials) {
    throw recordError(record, `${path}.events ${rate.events} exceed ${path}.trials ${rate.trials}`);
  }
}

function requireHistogram(
  record: EvidenceRecord,
  name: string,
  histogram: Histogram,
  spec: HistogramSpec | undefined,
  read: Map<Histogram['counts'], SortedBuckets>,
): void {
  const path = `histograms.${name}`;
  if (spec && (histogram.gamma !== spec.gamma || histogram.xMin !== spec.xMin)) {
    throw recordError(
      record,
      `${path} is cut at gamma ${histogram.gamma}, xMin ${histogram.xMin}, the plan's at ${spec.gamma}, ${spec.xMin}`,
    );
  }
  // Guardrails that read one signal share its counts.
  const buckets = read.get(histogram.counts) ?? requireBuckets(record, path, histogram.counts);
  read.set(histogram.counts, buckets);
  const { total } = buckets;
  const { trials } = record.error;
  if (name.startsWith('latency_') ? total !== trials : total > trials) {
    throw recordError(record, `${path} does not add up: ${total} values for ${trials} trials`);
  }
}

/** Reads a histogram for all that will be asked of it. */
function requireBuckets(record: EvidenceRecord, path: string, counts: Histogram['counts']): SortedBuckets {
  let buckets: SortedBuckets;
  try {
    buckets = keepSortedBuckets(counts);
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    for (const [key, count] of Object.entries(counts)) {
      if (!isCount(count)) throw recordError(record, `${path}.counts.${key} is ${count}, not a non-negative integer`);
    }
    const key = Object.keys(counts).find((text) => String(Number(text)) !== text || !isCount(Number(text)));
    throw recordError(record, `${path} has a bucket ${key}`);
  }
  const largest = buckets.indexes.at(-1) ?? 0;
  if (largest > LARGEST_BUCKET) throw recordError(record, `${path} has a bucket ${largest}`);
  return buckets;
}
