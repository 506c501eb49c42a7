import type { EvidenceRecord, UserBuckets } from '../../evidence/record.js';
import type { GuardrailName } from '../../plan/types.js';
import { histogramTotal, keepSortedBuckets } from '../histogram.js';
import type { SortedBuckets } from '../histogram.js';
import { rateSource } from './rate-source.js';
import { USER_BUCKETS } from './user-sums.js';

/**
 * What is wrong with a record's counts by user, the first of it in words; null = nothing. Buckets are 0 … 63, counts
 * non-negative integers, events never exceed trials in a bucket, and the buckets of a guardrail never hold more than what
 * the record says of it as a whole: the rate's trials and events, or the values of its histogram. The rates and
 * histograms themselves were checked before.
 */
export function userBucketsProblem(record: EvidenceRecord): string | null {
  for (const name of Object.keys(record.buckets)) {
    const buckets = record.buckets[name];
    if (buckets === undefined) continue;
    const whole = wholeOf(record, name);
    const sums = soundSums(buckets);
    if (sums && sums.trials <= whole.trials && sums.events <= whole.events) continue;
    const problem = bucketsProblem(`buckets.${name}`, buckets, whole);
    if (problem !== null) return problem;
  }
  return null;
}

interface Whole {
  readonly trials: number;
  readonly events: number;
  /** Where the record says it. */
  readonly trialsPath: string;
  readonly eventsPath: string;
}

function bucketsProblem(path: string, { trials, events }: UserBuckets, whole: Whole): string | null {
  let allTrials = 0;
  let allEvents = 0;
  for (const key of Object.keys(trials)) {
    const count = trials[key] ?? Number.NaN;
    if (!isBucket(key)) return `${path}.trials has a bucket ${key}, not one of 0 to ${USER_BUCKETS - 1}`;
    if (!isCount(count)) return `${path}.trials.${key} is ${count}, not a non-negative integer`;
    allTrials += count;
  }
  for (const key of Object.keys(events)) {
    const count = events[key] ?? Number.NaN;
    const ofTrials = trials[key] ?? 0;
    if (!isBucket(key)) return `${path}.events has a bucket ${key}, not one of 0 to ${USER_BUCKETS - 1}`;
    if (!isCount(count)) return `${path}.events.${key} is ${count}, not a non-negative integer`;
    if (count > ofTrials) return `${path}.events.${key} ${count} exceed ${path}.trials.${key} ${ofTrials}`;
    allEvents += count;
  }
  if (allTrials > whole.trials) return `${path}.trials sum to ${allTrials}, above ${whole.trialsPath} ${whole.trials}`;
  if (allEvents > whole.events) return `${path}.events sum to ${allEvents}, above ${whole.eventsPath} ${whole.events}`;
  return null;
}

/**
 * The sums of buckets with which nothing is wrong, which is nearly always; null = look closer. It keeps the buckets in
 * order for all who add them up: a dozen guardrails count the users of every record of a stage, many of them the same.
 */
function soundSums(buckets: UserBuckets): Pick<Whole, 'trials' | 'events'> | null {
  const trials = inOrder(buckets.trials);
  const events = inOrder(buckets.events);
  if (trials === null || events === null) return null;
  let at = 0;
  for (let position = 0; position < events.indexes.length; position++) {
    const bucket = events.indexes[position] ?? 0;
    while ((trials.indexes[at] ?? Infinity) < bucket) at++;
    if (trials.indexes[at] !== bucket || (events.counts[position] ?? 0) > (trials.counts[at] ?? 0)) return null;
  }
  return { trials: trials.total, events: events.total };
}

function inOrder(counts: UserBuckets['trials']): SortedBuckets | null {
  try {
    const buckets = keepSortedBuckets(counts);
    return (buckets.indexes.at(-1) ?? 0) < USER_BUCKETS ? buckets : null;
  } catch {
    return null;
  }
}

/** What the record says of a guardrail, all users together; a histogram has no events of its own. */
function wholeOf(record: EvidenceRecord, name: string): Whole {
  const source = isRateName(name) ? rateSource(name) : undefined;
  if (source) {
    const rate = source.read(record) ?? { trials: 0, events: 0 };
    return { ...rate, trialsPath: `the trials of its ${source.noun}`, eventsPath: `its ${source.noun}` };
  }
  const histogram = record.histograms[name];
  if (histogram) {
    const total = histogramTotal(histogram.counts);
    const path = `the values of histograms.${name}`;
    return { trials: total, events: total, trialsPath: path, eventsPath: path };
  }
  // Of a guardrail that this record does not measure otherwise: no more than there were requests.
  return { trials: record.started, events: record.started, trialsPath: 'started', eventsPath: 'started' };
}

const RATE_NAMES = ['error_rate', 'cache_hit_rate', 'refusal_rate', 'abort_rate'] as const satisfies GuardrailName[];

function isRateName(name: string): name is (typeof RATE_NAMES)[number] {
  return RATE_NAMES.some((known) => known === name);
}

/** The one way to write an index, so that equal buckets have equal keys. */
function isBucket(key: string): boolean {
  const bucket = Number(key);
  return Number.isInteger(bucket) && bucket >= 0 && bucket < USER_BUCKETS && String(bucket) === key;
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}
