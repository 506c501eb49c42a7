/** Records with exact counts, for tests that need to know what is in them. */
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Variant } from '../../../src/plan/types.js';
import { evidenceRecord } from '../../helpers/evidence-record.js';
import { LATENCY_BUCKETS } from './plan-fixture.js';

export const START = Date.parse('2026-11-24T09:00:00.000Z');

export interface Counts {
  readonly trials: number;
  readonly errors?: number;
  /** Bucket index of every latency, or counts by index. */
  readonly latency?: Readonly<Record<number, number>>;
}

export interface Place {
  readonly stage?: string;
  readonly generation?: number;
  /** Which interval of a second since the start. */
  readonly second: number;
}

/** A record of one variant; every latency is in one bucket unless told. */
export function recordOf(
  variant: Variant,
  { stage = 'canary-50', generation = 1, second }: Place,
  { trials, errors = 0, latency }: Counts,
  overrides: Partial<EvidenceRecord> = {},
): EvidenceRecord {
  const counts = latency ?? (trials > 0 ? { 700: trials } : {});
  const histogram = { ...LATENCY_BUCKETS, counts };
  return evidenceRecord({
    stage: stageName(stage),
    generation,
    variant,
    intervalStart: START + 1000 * second,
    started: trials,
    completed: trials,
    error: { trials, events: errors },
    errorsByClass: errors > 0 ? { model: errors } : {},
    histograms: { latency_p50: histogram, latency_p95: histogram },
    ...overrides,
  });
}

/** Both variants of one interval. */
export function intervalOf(
  place: Place,
  stable: Counts,
  candidate: Counts,
  overrides: Partial<EvidenceRecord> = {},
): readonly EvidenceRecord[] {
  return [recordOf('stable', place, stable, overrides), recordOf('candidate', place, candidate, overrides)];
}
