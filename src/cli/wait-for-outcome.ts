import { setTimeout as delay } from 'node:timers/promises';
import type { RouteName } from '../plan/ids.js';
import type { RolloutStatus } from '../plan/status.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';
import { readStatus } from './read-status.js';
import type { Session } from './session.js';

const POLL_MS = 1_000;

/** Asks for the state until the rollout has an outcome. Without a worker it goes on asking: the rollout goes on too. */
export async function waitForOutcome(
  session: Session,
  io: Io,
  route: RouteName,
  flags: ConfigFlag,
): Promise<RolloutStatus> {
  for (;;) {
    const status = await readStatus(session, io, route, flags);
    if (status !== null && status.outcome !== null) return status;
    await delay(POLL_MS);
  }
}
