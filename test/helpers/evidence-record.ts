import type { EvidenceRecord } from '../../src/evidence/record.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';

/** A record of nothing, to be overridden: the fields that a test is about stand alone in it. */
export function evidenceRecord(overrides: Partial<EvidenceRecord> = {}): EvidenceRecord {
  return {
    rollout: rolloutId('support@2026-11-24T09:00:00Z'),
    generation: 1,
    stage: stageName('canary-5'),
    intervalStart: Date.parse('2026-11-24T09:00:00.000Z'),
    stratum: 'served',
    variant: 'stable',
    replica: 'replica-1',
    process: 'process-1',
    revision: 1,
    intervalMs: 1_000,
    warmup: false,
    started: 0,
    completed: 0,
    aborted: 0,
    late: 0,
    dropped: {},
    incomplete: false,
    error: { trials: 0, events: 0 },
    errorsByClass: {},
    histograms: {},
    tokens: { prompt: 0, cached: 0, completion: 0, responses: 0 },
    buckets: {},
    ...overrides,
  };
}
