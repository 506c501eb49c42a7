/** The daily chore that deletes what nobody may need any more. */
import type { Ledger } from '../ledger/ledger.js';
import type { Chore } from './periodic.js';

const DAY_MS = 86_400_000;

/** Evidence, looks and decisions are kept this long after a rollout's end. */
export const KEEP_MS = 400 * DAY_MS;

export function retentionChore(ledger: Pick<Ledger, 'expire'>, now: () => number): Chore {
  return { name: 'old rollouts deleted', everyMs: DAY_MS, pass: () => ledger.expire(now() - KEEP_MS) };
}
