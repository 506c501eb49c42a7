/**
 * What a record may say. A record that contradicts itself is refused as a whole: wrong evidence must stop a rollout for a
 * person, never sway it.
 */
import { SluiceError } from '../plan/failures.js';
import type { Assigned, EvidenceRecord, Histogram, Rate, RatingRecord, UserBuckets } from './record.js';

/** Users are hashed into this many buckets. */
const USER_BUCKETS = 64;
const VARIANTS: ReadonlySet<string> = new Set(['stable', 'candidate']);
const ERROR_CLASSES: ReadonlySet<string> = new Set(['model', 'refused', 'timeout', 'rate-limit', 'connect', 'broken']);

/** The one way to write a hash, so that equal units are equal texts. */
const UNIT_HASH = /^[0-9a-f]{16}$/;

/** The record's key in words, so that a person finds it in the router and in the ledger. */
export function nameOfRecord(record: EvidenceRecord): string {
  return (
    `evidence record (rollout ${record.rollout}, generation ${record.generation}, stage ${record.stage}, ` +
    `intervalStart ${record.intervalStart}, stratum ${record.stratum}, variant ${record.variant}, ` +
    `replica ${record.replica}, process ${record.process})`
  );
}

/**
 * Everything that is wrong with a record, a phrase each with the field and its value; empty when it may be used.
 *
 * Counts are non-negative integers; events never exceed trials, in a user bucket neither; an interval starts at a multiple
 * of its length; errors by class never exceed the errors; a `latency_…` histogram holds each trial of `error` exactly once
 * and any other at most once (statistics: "histogram does not add up"); user buckets hold no more than their metric;
 * assigned units are distinct hashes, and each of them and each request without one has started.
 */
export function violationsOf(record: EvidenceRecord): readonly string[] {
  const found: string[] = [];
  checkKey(record, found);
  for (const field of ['started', 'completed', 'aborted', 'late'] as const) checkCount(field, record[field], found);
  checkCounts('dropped', record.dropped, found);
  checkCounts('tokens', record.tokens, found);
  checkRate('error', record.error, found);
  if (record.cacheMiss !== undefined) checkRate('cacheMiss', record.cacheMiss, found);
  if (record.refusal !== undefined) checkRate('refusal', record.refusal, found);
  checkRequests(record, found);
  checkErrorClasses(record, found);
  for (const [name, histogram] of Object.entries(record.histograms)) checkHistogram(record, name, histogram, found);
  for (const [name, buckets] of Object.entries(record.buckets)) checkBuckets(record, name, buckets, found);
  if (record.assigned !== undefined) checkAssigned(record.assigned, record.started, found);
  return found;
}

/** @throws SluiceError `evidence-invalid`, naming the record's key and every violation */
export function validateRecord(record: EvidenceRecord): void {
  const found = violationsOf(record);
  if (found.length === 0) return;
  throw new SluiceError(
    'evidence-invalid',
    `${nameOfRecord(record)}: ${found.join('; ')}; none of its batch was stored, mend the router that wrote it`,
  );
}

/** @throws SluiceError `evidence-invalid`, naming the nonce and every violation */
export function validateRating(rating: RatingRecord): void {
  const found: string[] = [];
  if (rating.nonce === '') found.push('nonce is empty');
  if (rating.stratum === '') found.push('stratum is empty');
  if (!VARIANTS.has(rating.variant)) found.push(`variant is ${shown(rating.variant)}, not stable or candidate`);
  for (const field of ['generation', 'requestStartedAt', 'ratedAt'] as const) checkCount(field, rating[field], found);
  const bucket = rating.userBucket;
  if (bucket !== null && !isUserBucket(bucket)) found.push(`userBucket is ${shown(bucket)}, not 0 to 63 or null`);
  if (rating.rating.kind === 'score' && ![1, 2, 3, 4, 5].includes(rating.rating.score)) {
    found.push(`score is ${shown(rating.rating.score)}, not one of 1 to 5`);
  }
  if (found.length === 0) return;
  throw new SluiceError(
    'evidence-invalid',
    `rating (rollout ${rating.rollout}, nonce ${shown(rating.nonce)}): ${found.join('; ')}; ` +
      'none of its batch was stored, mend the router that wrote it',
  );
}

function checkKey(record: EvidenceRecord, found: string[]): void {
  for (const field of ['rollout', 'stage', 'stratum', 'replica', 'process'] as const) {
    if (typeof record[field] !== 'string' || record[field] === '') found.push(`${field} is empty`);
  }
  if (!VARIANTS.has(record.variant)) found.push(`variant is ${shown(record.variant)}, not stable or candidate`);
  for (const field of ['generation', 'intervalStart', 'revision', 'intervalMs'] as const) {
    checkCount(field, record[field], found);
  }
  if (record.generation === 0) found.push('generation is 0, which is before any split');
  if (record.intervalMs === 0) found.push('intervalMs is 0');
  else if (record.intervalStart % record.intervalMs !== 0) {
    found.push(`intervalStart is no multiple of intervalMs ${record.intervalMs}`);
  }
  for (const field of ['warmup', 'incomplete'] as const) {
    if (typeof record[field] !== 'boolean') found.push(`${field} is ${shown(record[field])}, not true or false`);
  }
}

function checkRequests(record: EvidenceRecord, found: string[]): void {
  const { started, completed, aborted, error } = record;
  if (completed > started) found.push(`completed ${completed} exceeds started ${started}`);
  if (error.trials > started) found.push(`error.trials ${error.trials} exceeds started ${started}`);
  if (aborted > error.trials) found.push(`aborted ${aborted} exceeds error.trials ${error.trials}`);
}

function checkErrorClasses(record: EvidenceRecord, found: string[]): void {
  checkCounts('errorsByClass', record.errorsByClass, found);
  for (const name of Object.keys(record.errorsByClass)) {
    if (!ERROR_CLASSES.has(name)) found.push(`errorsByClass.${name} is none of ${[...ERROR_CLASSES].join(', ')}`);
  }
  const classified = total(record.errorsByClass);
  if (classified > record.error.events) {
    found.push(`errorsByClass sums to ${classified}, above error.events ${record.error.events}`);
  }
}

function checkHistogram(record: EvidenceRecord, name: string, histogram: Histogram, found: string[]): void {
  const path = `histograms.${name}`;
  if (!(Number.isFinite(histogram.gamma) && histogram.gamma > 1)) {
    found.push(`${path}.gamma is ${shown(histogram.gamma)}, not above 1`);
  }
  if (!(Number.isFinite(histogram.xMin) && histogram.xMin > 0)) {
    found.push(`${path}.xMin is ${shown(histogram.xMin)}, not above 0`);
  }
  checkCounts(`${path}.counts`, histogram.counts, found);
  for (const key of Object.keys(histogram.counts)) {
    if (!isIndex(key)) found.push(`${path}.counts has the key ${shown(key)}, which is no bucket index`);
  }
  const values = total(histogram.counts);
  const { trials } = record.error;
  if (name.startsWith('latency_') ? values !== trials : values > trials) {
    found.push(`${path}: histogram does not add up, ${values} values for error.trials ${trials}`);
  }
}

function checkBuckets(record: EvidenceRecord, name: string, buckets: UserBuckets, found: string[]): void {
  const path = `buckets.${name}`;
  for (const side of ['trials', 'events'] as const) {
    checkCounts(`${path}.${side}`, buckets[side], found);
    for (const key of Object.keys(buckets[side])) {
      if (!isIndex(key) || !isUserBucket(Number(key))) {
        found.push(`${path}.${side} has the key ${shown(key)}, not 0 to 63`);
      }
    }
  }
  for (const [bucket, events] of Object.entries(buckets.events)) {
    const trials = buckets.trials[bucket] ?? 0;
    if (events > trials) found.push(`${path}: events ${events} exceed trials ${trials} in bucket ${bucket}`);
  }
  const trials = total(buckets.trials);
  const events = total(buckets.events);
  const metric = metricOf(record, name);
  if (trials > metric.trials) found.push(`${path}.trials sum to ${trials}, above ${metric.name} ${metric.trials}`);
  if (events > metric.events) found.push(`${path}.events sum to ${events}, above ${metric.name} ${metric.events}`);
}

/** What the record says of a guardrail, all users together: no bucket may add to it. */
function metricOf(record: EvidenceRecord, name: string): Rate & { readonly name: string } {
  const nothing = { trials: 0, events: 0 };
  switch (name) {
    case 'error_rate':
      return { ...record.error, name: 'error' };
    case 'cache_hit_rate':
      return { ...(record.cacheMiss ?? nothing), name: 'cacheMiss' };
    case 'refusal_rate':
      return { ...(record.refusal ?? nothing), name: 'refusal' };
    case 'abort_rate':
      return { trials: record.error.trials, events: record.aborted, name: 'aborted' };
  }
  const histogram = record.histograms[name];
  if (histogram === undefined) return { trials: record.started, events: record.started, name: 'started' };
  const values = total(histogram.counts);
  return { trials: values, events: values, name: `histograms.${name}` };
}

function checkAssigned({ units, alone }: Assigned, started: number, found: string[]): void {
  checkCount('assigned.alone', alone, found);
  const broken = units.find((unit) => !UNIT_HASH.test(unit));
  if (broken !== undefined) found.push(`assigned.units has ${shown(broken)}, not 16 hex digits`);
  if (new Set(units).size < units.length) found.push('assigned.units has a unit twice');
  if (units.length + alone > started) {
    found.push(`assigned has ${units.length} units and ${alone} requests without one, above started ${started}`);
  }
}

function checkRate(path: string, rate: Rate, found: string[]): void {
  checkCount(`${path}.trials`, rate.trials, found);
  checkCount(`${path}.events`, rate.events, found);
  if (rate.events > rate.trials) found.push(`${path}: events ${rate.events} exceed trials ${rate.trials}`);
}

function checkCounts(path: string, counts: Readonly<Record<string, number>>, found: string[]): void {
  for (const [key, count] of Object.entries(counts)) {
    if (!isCount(count)) checkCount(`${path}.${key}`, count, found);
  }
}

function checkCount(path: string, count: number, found: string[]): void {
  if (!isCount(count)) found.push(`${path} is ${shown(count)}, not a non-negative integer`);
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}

function total(counts: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const count of Object.values(counts)) sum += count;
  return sum;
}

/** The one way to write an index: "7", never "07" or "7.0", so that equal buckets have equal keys. */
function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(key);
}

function isUserBucket(bucket: number): boolean {
  return Number.isInteger(bucket) && bucket >= 0 && bucket < USER_BUCKETS;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
