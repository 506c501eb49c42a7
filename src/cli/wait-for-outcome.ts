import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutStatus } from '../plan/status.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';
import { readStatus } from './read-status.js';
import type { Session } from './session.js';

const POLL_MS = 1_000;

/**
 * Asks for the state until the rollout that has been started has an outcome. Without a worker it goes on asking: the rollout goes
 * on too, and the ledger may show another one of its route meanwhile.
 */
export async function waitForOutcome(
  session: Session,
  io: Io,
  { route, rollout }: Pick<RolloutStatus, 'route' | 'rollout'>,
  flags: ConfigFlag,
): Promise<RolloutStatus> {
  for (;;) {
    const status = await readStatus(session, io, route, flags);
    if (status !== null && status.rollout === rollout && status.outcome !== null) return status;
    await delay(POLL_MS);
  }
}
