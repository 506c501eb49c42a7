/** How the ledger learns that a member's part of an interval is missing. */
import { emptyIncompleteRecord } from './empty-record.js';
import type { StageName } from '../plan/ids.js';
import type { FleetFrontier } from './fleet-frontier.js';
import { SERVED } from './record.js';
import type { EvidenceRecord } from './record.js';

/** Process of a member that was silent from the start. */
const UNHEARD = 'unheard';

/**
 * Empty records marked `incomplete`, one per interval that a silent member left open: committed together with the
 * frontier that passes them, they make any worker count the member's part as missing. What the member delivers later is
 * then late. `split` names the generation and stage in force.
 */
export function incompleteRecords(
  frontier: FleetFrontier,
  split: { readonly generation: number; readonly stage: StageName },
): readonly EvidenceRecord[] {
  const { rollout, intervalMs } = frontier;
  const records: EvidenceRecord[] = [];
  for (const range of frontier.incomplete) {
    let intervalStart = Math.floor(range.after / intervalMs) * intervalMs;
    for (; intervalStart + intervalMs <= range.through; intervalStart += intervalMs) {
      records.push(
        emptyIncompleteRecord({
          rollout,
          generation: split.generation,
          stage: split.stage,
          intervalStart,
          intervalMs,
          stratum: SERVED,
          variant: 'candidate',
          replica: range.replica ?? range.address,
          process: range.process ?? UNHEARD,
          warmup: false,
        }),
      );
    }
  }
  return records;
}
