import type { EvidenceKey, EvidenceRecord } from './record.js';

/**
 * A record that counts nothing and says that something is missing. Revision 0, so that it never replaces a record of the same key
 * that holds what was counted.
 */
export function emptyIncompleteRecord(
  key: EvidenceKey & Pick<EvidenceRecord, 'intervalMs' | 'warmup'>,
): EvidenceRecord {
  return {
    ...key,
    revision: 0,
    started: 0,
    completed: 0,
    aborted: 0,
    late: 0,
    dropped: {},
    incomplete: true,
    error: { trials: 0, events: 0 },
    errorsByClass: {},
    histograms: {},
    tokens: { prompt: 0, cached: 0, completion: 0, responses: 0 },
    buckets: {},
  };
}
