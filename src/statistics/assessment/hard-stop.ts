import type { HardStop } from '../../evidence/look.js';
import type { RecentStarts } from '../../evidence/record.js';
import type { Variant } from '../../plan/types.js';

/** Starts of a variant below which nothing is said of it. */
const LEAST_STARTS = 20;

/** Share of the started requests that failed, from which on a variant fails outright. */
const OUTRIGHT = 0.5;

/** How many times stable's share the candidate's must be. */
const TIMES_STABLE = 5;

export type HardStopVerdict =
  | { readonly kind: 'none' }
  /** The candidate fails outright and stable does not: it is out at once. */
  | { readonly kind: 'hard-stop'; readonly starts: HardStop }
  /** Stable fails outright too: what both share is broken, and neither is to blame. */
  | { readonly kind: 'source-down'; readonly starts: HardStop };

/**
 * The hard stop: a plain limit beside the tests, labelled so, that never enters an e-value.
 *
 * Over the starts of the last 60 s of all members, open intervals included: at least 20 candidate requests started, at
 * least half of the *started* failed (counting finished ones would be biased, since fast failures finish first), and at
 * least 5 × stable's share. If stable fails outright as well it is `source-down`, which also holds while too few
 * requests reach the candidate to judge it. Source: method §10.9.
 */
export function hardStop(members: readonly Readonly<Record<Variant, RecentStarts>>[]): HardStopVerdict {
  const starts = { candidate: { started: 0, failed: 0 }, stable: { started: 0, failed: 0 } };
  for (const member of members) {
    for (const variant of ['candidate', 'stable'] as const) {
      starts[variant].started += member[variant].started;
      starts[variant].failed += member[variant].failed;
    }
  }
  const { candidate, stable } = starts;
  const candidateShare = shareOf(candidate);
  const stableShare = shareOf(stable);
  const candidateFails = candidate.started >= LEAST_STARTS && candidateShare >= OUTRIGHT;
  if (candidateFails && candidateShare >= TIMES_STABLE * stableShare) return { kind: 'hard-stop', starts };
  // Beside a failing candidate even a few mirrored starts of stable tell a broken source from a broken model.
  const stableFails = stableShare >= OUTRIGHT && (candidateFails || stable.started >= LEAST_STARTS);
  return stableFails ? { kind: 'source-down', starts } : { kind: 'none' };
}

function shareOf({ started, failed }: RecentStarts): number {
  return started === 0 ? 0 : failed / started;
}
