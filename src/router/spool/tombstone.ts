import { z } from 'zod';
import { rolloutId, stageName } from '../../plan/ids.js';
import { emptyIncompleteRecord } from '../../evidence/empty-record.js';
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

/** The item that stands for a dropped one: its key, nothing counted, incomplete. */
export function tombstoneOf(recordJson: string): SpoolItem {
  return recordItem(emptyIncompleteRecord(keySchema.parse(JSON.parse(recordJson))));
}
