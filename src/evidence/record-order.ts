/** The order in which evidence is used, the same on every machine and database. */
import { intervalEnd } from './record.js';
import type { EvidenceKey } from './record.js';

/**
 * (interval end, generation, interval start, stratum, variant, replica, process), and beyond it rollout and stage, so that
 * only records of one key are equal. Negative when `left` comes first.
 */
export function compareRecords(
  left: EvidenceKey & { readonly intervalMs: number },
  right: EvidenceKey & { readonly intervalMs: number },
): number {
  return (
    intervalEnd(left) - intervalEnd(right) ||
    left.generation - right.generation ||
    left.intervalStart - right.intervalStart ||
    compareText(left.stratum, right.stratum) ||
    compareText(left.variant, right.variant) ||
    compareText(left.replica, right.replica) ||
    compareText(left.process, right.process) ||
    compareText(left.rollout, right.rollout) ||
    compareText(left.stage, right.stage)
  );
}

/** By code units: a language's or a database's own collation would differ from machine to machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
