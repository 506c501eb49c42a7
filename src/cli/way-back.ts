import type { RolloutStatus } from '../plan/status.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';
import { openLedgerOf } from './ledger-of.js';

/** The command that takes a promoted route back to the model it had. */
export async function wayBack(status: RolloutStatus, io: Io, flags: ConfigFlag): Promise<string> {
  const previous = (await stableBefore(status, io, flags)) ?? 'PREVIOUS-UPSTREAM';
  const line = `sluice start --route ${status.route} --candidate ${previous} --preset`;
  return `${line} blue-green (while blue-green is not available in this version: ${line} canary)`;
}

/** From the plan in the ledger: a promoted route's resting split names the promoted model alone. */
async function stableBefore({ rollout }: RolloutStatus, io: Io, flags: ConfigFlag): Promise<string | null> {
  const ledger = await openLedgerOf(io, flags);
  if (ledger === null) return null;
  try {
    return (await ledger.rollout(rollout))?.plan.stable ?? null;
  } finally {
    await ledger.close();
  }
}
