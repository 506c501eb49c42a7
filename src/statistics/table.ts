import { requireCount } from './checks.js';
import { StatisticsError } from './errors.js';

/**
 * One 2x2 table: bad events among trials, of both variants, in one interval and stratum.
 *
 * Positive effect = candidate worse, always: a metric where lower is worse is entered as its complement.
 */
export interface Table {
  readonly candidateEvents: number;
  readonly candidateTrials: number;
  readonly stableEvents: number;
  readonly stableTrials: number;
}

/** Throws `counts must be non-negative integers` or `events exceed trials`. */
export function requireTable(table: Table): void {
  requireCount(table.candidateEvents);
  requireCount(table.candidateTrials);
  requireCount(table.stableEvents);
  requireCount(table.stableTrials);
  if (table.candidateEvents > table.candidateTrials || table.stableEvents > table.stableTrials) {
    throw new StatisticsError('events-exceed-trials', 'events exceed trials');
  }
}
