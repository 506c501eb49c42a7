import {
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowNotFoundError,
  isGrpcServiceError,
} from '@temporalio/client';
import type { RouteName } from '../plan/ids.js';
import type { RolloutStatus } from '../plan/status.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';
import { openLedgerOf } from './ledger-of.js';
import type { Session } from './session.js';

const ANSWER_WITHIN_MS = 5_000;

/**
 * State of the route's newest rollout: from its workflow, else the ledger's last, marked `"from": "ledger"`; null when neither
 * knows the route.
 */
export async function readStatus(
  session: Session,
  io: Io,
  route: RouteName,
  flags: ConfigFlag,
): Promise<RolloutStatus | null> {
  return (await queryStatus(session, route)) ?? (await ledgerStatus(io, route, flags));
}

/** State as the workflow itself tells it, running or ended; null when it is not there or nobody answers within 5 s. */
export async function queryStatus(session: Session, route: RouteName): Promise<RolloutStatus | null> {
  try {
    const handle = session.client.workflow.getHandle(`rollout/${route}`);
    return await session.client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      handle.query<RolloutStatus>('status'),
    );
  } catch (error) {
    // Gone, never there, or nobody answers: the ledger may still know.
    if (
      error instanceof WorkflowNotFoundError ||
      error instanceof QueryNotRegisteredError ||
      error instanceof QueryRejectedError ||
      error instanceof ServiceError ||
      isGrpcServiceError(error)
    )
      return null;
    throw error;
  }
}

async function ledgerStatus(io: Io, route: RouteName, flags: ConfigFlag): Promise<RolloutStatus | null> {
  const ledger = await openLedgerOf(io, flags);
  if (ledger === null) return null;
  try {
    const status = await ledger.lastStatus(route);
    return status === null ? null : { ...status, from: 'ledger' };
  } finally {
    await ledger.close();
  }
}
