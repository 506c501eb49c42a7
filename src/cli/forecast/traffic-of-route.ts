import type { EvidenceRecord } from '../../evidence/record.js';
import type { Ledger, RolloutRow } from '../../ledger/ledger.js';
import type { RouteName } from '../../plan/ids.js';
import type { Plan } from '../../plan/types.js';
import { MeasuredStable } from './measured-stable.js';
import type { MeasuredTraffic } from './measured-traffic.js';

/** A week has every hour of every day in it. */
const LOOK_BACK_MS = 7 * 86_400_000;

/** Ratings of an hour are in memory at once. */
const HOUR_MS = 3_600_000;

/** What the ledger knows of a route from the last week of its newest rollout's evidence; null when it has none. */
export async function trafficOfRoute(
  ledger: Pick<Ledger, 'rollouts' | 'closedThrough' | 'evidence' | 'ratings'>,
  route: RouteName,
  plan: Plan,
): Promise<MeasuredTraffic | null> {
  // A rollout that ended at once has no evidence; the one before it may.
  for (const row of await ledger.rollouts(route, 5)) {
    const through = await ledger.closedThrough(row.rollout);
    const from = Math.max(0, through - LOOK_BACK_MS);
    const measured = new MeasuredStable(plan);
    for await (const records of ledger.evidence(row.rollout, from, through))
      for (const record of records) measured.add(record, isServed(row, record));
    for (let hour = from; hour < through; hour += HOUR_MS)
      for (const rating of await ledger.ratings(row.rollout, hour, Math.min(through, hour + HOUR_MS)))
        measured.addRating(rating);
    const { requestsPerSecond } = measured;
    if (requestsPerSecond !== null) return { requestsPerSecond, baselines: measured.baselines() };
  }
  return null;
}

/** Not a copy that was made for comparison. */
function isServed({ plan }: RolloutRow, { stage: name, stratum, variant }: EvidenceRecord): boolean {
  const stage = plan.stages.find((one) => one.name === name);
  return stratum === 'served' || stage === undefined || stage.mirror.share === 0 || variant !== stage.mirror.variant;
}
