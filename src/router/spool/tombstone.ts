import { z } from 'zod';
import { rolloutId, stageName } from '../../plan/ids.js';
import type { EvidenceRecord } from '../../evidence/record.js';
import type { SpoolItem } from './spool-entry.js';
import { recordItem } from './spool-entry.js';

const keySchema = z.object({
  rollout: z.string().transform(rolloutId),
  generation: z.number(),
  stage: z.string().transform(stageName),
  intervalStart: z.number(),
  stratum: z.string(),
  variant: z.enum(['stable', 'candidate']),
  replica: z.string(),
  process: z.string(),
  intervalMs: z.number(),
  warmup: z.boolean(),
});

/**
 * The record that stands for a dropped one: its key, nothing counted, incomplete. Revision 0, so that it never replaces
 * the record itself where that had been delivered and only the acknowledgement was lost.
 */
export function tombstoneOf(recordJson: string): SpoolItem {
  const record: EvidenceRecord = {
    ...keySchema.parse(JSON.parse(recordJson)),
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
  return recordItem(record);
}
