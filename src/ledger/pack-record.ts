/**
 * The body of an evidence row: everything but the key and the revision, without zeros, as short JSON, deflated against a
 * dictionary of what such bodies look like. Counts by index become index steps and counts in turn: {"700":3,"702":1} is
 * [700,3,2,1]. Equal ones are kept once, since two quantiles of one signal share a histogram and most metrics share their
 * trials by user: that halves the time of reading. The first byte says by which format.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Assigned, EvidenceRecord, Histogram, Rate, UserBuckets } from '../evidence/record.js';
import { histogramOfBuckets } from '../statistics/histogram.js';

/** What the row's key and `evidence_source` do not hold. */
export type RecordBody = Omit<
  EvidenceRecord,
  | 'rollout'
  | 'generation'
  | 'stage'
  | 'intervalStart'
  | 'intervalMs'
  | 'stratum'
  | 'variant'
  | 'replica'
  | 'process'
  | 'revision'
>;

type Counts = Readonly<Record<string, number>>;
type Steps = readonly number[];

interface PackedBody {
  /** started, completed, aborted, late, error trials, error events */
  readonly n: readonly [number, number, number, number, number, number];
  /** 1 warmup + 2 incomplete */
  readonly f?: number;
  readonly d?: Readonly<Record<string, number>>;
  readonly c?: EvidenceRecord['errorsByClass'];
  readonly m?: readonly [number, number];
  readonly r?: readonly [number, number];
  /** prompt, cached, completion, responses */
  readonly t?: readonly [number, number, number, number];
  /** Distinct counts by index; what follows names them by their place here. */
  readonly s?: readonly Steps[];
  /** gamma, xMin, counts */
  readonly h?: Readonly<Record<string, readonly [number, number, number]>>;
  /** trials, events */
  readonly b?: Readonly<Record<string, readonly [number, number]>>;
  /** Assigned: requests without a unit; the units' hashes, 8 bytes each, in base64. Since format 2. */
  readonly a?: readonly [number, string];
}

/** Part of what is stored: a change of it, or of the shape above, takes the next number and keeps the old one readable. */
const FORMAT = 2;
const READABLE_FORMATS: readonly unknown[] = [1, FORMAT];
/** Hex digits of a unit's hash. */
const HASH_DIGITS = 16;
const DICTIONARY = Buffer.from(
  '"d":{"busy":1,"budget":"c":{"connect":1,"broken":1,"refused":1,"rate-limit":1,"timeout":1,"model":1},' +
    '"h":{"latency_p50":[1.0183993761470242,0.001,0],"latency_p95":[1.0183993761470242,0.001,0],' +
    '"ttft_p50":[1.0183993761470242,0.001,1],"ttft_p95":[1.0183993761470242,0.001,1],' +
    '"tokens_per_response":[1.0186013487514592,1,2]},"b":{"error_rate":[3,4],"latency_p50":[3,5],"latency_p95":[3,6],' +
    '"ttft_p50":[3,7],"ttft_p95":[3,8],"cache_hit_rate":[3,9],"refusal_rate":[3,4],"feedback":[3,4]}}' +
    '{"n":[20,20,0,0,20,0],"f":1,{"n":[1,1,0,0,1,0],"m":[0,0],"r":[0,0],"t":[0,0,0,0],"s":[[745,1,1,1,1,2,2,1,3,1,' +
    '1,1,2,1,3,1,1,2,4,1],[290,1,1,1,2,1,1,1,2,1,2,2,1,1,1],[],[0,1,1,1,1,1,2,1,1,1,1,2,1,1,1,3,1,1,1,1,2,1,1,2,1,1]],',
);
/** The window must hold the dictionary and a large body; a larger one costs time for every record. */
const WINDOW_BITS = 13;
const DEFLATE = { dictionary: DICTIONARY, windowBits: WINDOW_BITS };
const INFLATE = { dictionary: DICTIONARY, windowBits: WINDOW_BITS };

export function packRecord(record: RecordBody): Uint8Array {
  const { error, cacheMiss, refusal, tokens, assigned } = record;
  const flags = (record.warmup ? 1 : 0) + (record.incomplete ? 2 : 0);
  const numbers = [tokens.prompt, tokens.cached, tokens.completion, tokens.responses] as const;
  const distinct = new DistinctSteps();
  const histograms = mapValues(
    record.histograms,
    ({ gamma, xMin, counts }) => [gamma, xMin, distinct.placeOf(counts)] as const,
  );
  const buckets = mapValues(
    record.buckets,
    ({ trials, events }) => [distinct.placeOf(trials), distinct.placeOf(events)] as const,
  );
  const body: PackedBody = {
    n: [record.started, record.completed, record.aborted, record.late, error.trials, error.events],
    ...(flags > 0 ? { f: flags } : {}),
    ...(isEmpty(record.dropped) ? {} : { d: record.dropped }),
    ...(isEmpty(record.errorsByClass) ? {} : { c: record.errorsByClass }),
    ...(cacheMiss === undefined ? {} : { m: [cacheMiss.trials, cacheMiss.events] as const }),
    ...(refusal === undefined ? {} : { r: [refusal.trials, refusal.events] as const }),
    ...(numbers.some((number) => number !== 0) ? { t: numbers } : {}),
    ...(distinct.all.length === 0 ? {} : { s: distinct.all }),
    ...(isEmpty(histograms) ? {} : { h: histograms }),
    ...(isEmpty(buckets) ? {} : { b: buckets }),
    ...(assigned === undefined ? {} : { a: [assigned.alone, base64Of(assigned.units)] as const }),
  };
  const deflated = deflateRawSync(JSON.stringify(body), DEFLATE);
  const packed = new Uint8Array(deflated.length + 1);
  packed[0] = FORMAT;
  packed.set(deflated, 1);
  return packed;
}

/**
 * What was packed; equal counts may be one object.
 *
 * @throws Error when the bytes are not what `packRecord` wrote
 */
export function unpackRecord(bytes: Uint8Array | ArrayBuffer): RecordBody {
  const packed = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  if (!READABLE_FORMATS.includes(packed[0])) {
    throw new Error(
      `an evidence row has format ${packed[0]}, this version of sluice reads ${READABLE_FORMATS.join(' and ')}: ` +
        'use a later one',
    );
  }
  const body: unknown = JSON.parse(inflateRawSync(packed.subarray(1), INFLATE).toString());
  if (!isPackedBody(body)) throw new Error('an evidence row holds no record');
  const [started, completed, aborted, late, trials, events] = body.n;
  const flags = body.f ?? 0;
  const [prompt, cached, completion, responses] = body.t ?? [0, 0, 0, 0];
  const counts = (body.s ?? []).map(countsOf);
  const countsAt = (place: number): Counts => {
    const found = counts[place];
    if (found === undefined) throw new Error('an evidence row holds a part of a record');
    return found;
  };
  return {
    warmup: (flags & 1) !== 0,
    incomplete: (flags & 2) !== 0,
    started,
    completed,
    aborted,
    late,
    dropped: body.d ?? {},
    error: { trials, events },
    errorsByClass: body.c ?? {},
    ...(body.m === undefined ? {} : { cacheMiss: rateOf(body.m) }),
    ...(body.r === undefined ? {} : { refusal: rateOf(body.r) }),
    histograms: mapValues(body.h ?? {}, ([gamma, xMin, place]): Histogram => ({
      gamma,
      xMin,
      counts: countsAt(place),
    })),
    tokens: { prompt, cached, completion, responses },
    buckets: mapValues(body.b ?? {}, ([ofTrials, ofEvents]): UserBuckets => ({
      trials: countsAt(ofTrials),
      events: countsAt(ofEvents),
    })),
    ...(body.a === undefined ? {} : { assigned: assignedOf(body.a) }),
  };
}

/** Counts by index as steps, each distinct one once. */
class DistinctSteps {
  readonly all: Steps[] = [];
  readonly #places = new Map<string, number>();

  placeOf(counts: Counts): number {
    const steps = stepsOf(counts);
    const text = steps.join(' ');
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.all.length);
    return this.all.push(steps) - 1;
  }
}

function stepsOf(counts: Counts): Steps {
  const steps: number[] = [];
  let before = 0;
  // The language lists keys that are indices in ascending order.
  for (const key of Object.keys(counts)) {
    const index = Number(key);
    steps.push(index - before, counts[key] ?? 0);
    before = index;
  }
  return steps;
}

/** Whoever assesses the record wants them in order of index: so they are kept. */
function countsOf(steps: Steps): Counts {
  const indexes: number[] = [];
  const counts: number[] = [];
  let index = 0;
  for (let position = 0; position + 1 < steps.length; position += 2) {
    index += steps[position] ?? 0;
    indexes.push(index);
    counts.push(steps[position + 1] ?? 0);
  }
  try {
    return histogramOfBuckets(indexes, counts);
  } catch {
    // What cannot be true is for the assessment to refuse, which can name the record.
    return Object.fromEntries(indexes.map((key, position) => [key, counts[position] ?? 0]));
  }
}

function rateOf([trials, events]: readonly [number, number]): Rate {
  return { trials, events };
}

function base64Of(units: readonly string[]): string {
  return Buffer.from(units.join(''), 'hex').toString('base64');
}

function assignedOf([alone, hashes]: readonly [number, string]): Assigned {
  const digits = Buffer.from(hashes, 'base64').toString('hex');
  const units: string[] = [];
  for (let at = 0; at < digits.length; at += HASH_DIGITS) units.push(digits.slice(at, at + HASH_DIGITS));
  return { units, alone };
}

function isEmpty(record: object): boolean {
  for (const _name in record) return false;
  return true;
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Record<string, Result> {
  const changed: Record<string, Result> = {};
  for (const [name, value] of Object.entries(record)) changed[name] = change(value);
  return changed;
}

/** Its own writing, so its shape is known once the format and the one required field are there. */
function isPackedBody(value: unknown): value is PackedBody {
  return typeof value === 'object' && value !== null && 'n' in value && Array.isArray(value.n);
}
