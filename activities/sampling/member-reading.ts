/** One poll of one member: its pages, how it stands to the split, and the mending where it has drifted. */
import { BackendError } from '../../src/backends/backend-error.js';
import { withDeadline } from '../../src/backends/deadline.js';
import type { Member, TrafficBackend } from '../../src/backends/traffic-backend.js';
import type { EvidencePage } from '../../src/evidence/record.js';
import { SluiceError } from '../../src/plan/failures.js';
import type { RouteName } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import type { Clock } from '../dependencies.js';
import { asSluiceError } from '../fleet-write.js';

/** A member that takes longer must not hold up the others: the poll goes on without it. */
const PATIENCE_MS = 2_000;

/** A member that was away for days has much to tell: it is taken in portions, each committed by itself. */
const PAGES_PER_POLL = 20;

/** How a member stands to the split that should be in force. */
export type Standing =
  | { readonly kind: 'in-force' }
  /** It had an older generation and has taken the split again. */
  | { readonly kind: 'mended'; readonly leaseExpiresAt: number | null }
  | { readonly kind: 'unmended'; readonly why: string }
  /** The split is there and its lease ran out; ms by the member's own clock. */
  | { readonly kind: 'expired'; readonly notInForceMs: number }
  /** A higher generation, or another rollout: reported and never fought. */
  | { readonly kind: 'foreign'; readonly generation: number; readonly why: string };

export interface AnsweredReading {
  readonly kind: 'answered';
  readonly member: Member;
  readonly pages: readonly EvidencePage[];
  readonly last: EvidencePage;
  readonly standing: Standing;
  /** Monotonic ms between which the first page was asked for and answered: dates its `now`. */
  readonly sentAt: number;
  readonly answeredAt: number;
}

export type MemberReading =
  | AnsweredReading
  | { readonly kind: 'silent'; readonly member: Member; readonly error: SluiceError; readonly at: number };

export interface ReadingContext {
  readonly backend: TrafficBackend;
  readonly clock: Clock;
  readonly route: RouteName;
  readonly split: Split;
  /** Only the first page, for its `open` part: the ledger takes nothing at the moment. */
  readonly headOnly: boolean;
}

/**
 * Reads a member from `cursor` on and mends it where it has drifted. Rejects only when `signal` aborts, and for evidence
 * that contradicts itself.
 * @throws SluiceError `evidence-invalid`
 */
export async function readMember(
  context: ReadingContext,
  member: Member,
  cursor: string | null,
  signal: AbortSignal,
): Promise<MemberReading> {
  const { clock } = context;
  try {
    return await withDeadline(
      signal,
      PATIENCE_MS,
      () => tooSlow(member),
      (limited) => read(context, member, cursor, limited),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SluiceError && error.code === 'evidence-invalid') throw error;
    return { kind: 'silent', member, error: asSluiceError(member, error), at: clock.monotonicMs() };
  }
}

async function read(
  context: ReadingContext,
  member: Member,
  cursor: string | null,
  signal: AbortSignal,
): Promise<AnsweredReading> {
  const sentAt = context.clock.monotonicMs();
  const first = await readPage(context, member, cursor, signal);
  const answeredAt = context.clock.monotonicMs();
  const pages = [first];
  let last = first;
  while (last.more && !context.headOnly && pages.length < PAGES_PER_POLL) {
    last = await readPage(context, member, last.cursor, signal);
    pages.push(last);
  }
  const standing = await standingOf(context, member, last, signal);
  return { kind: 'answered', member, pages, last, standing, sentAt, answeredAt };
}

function readPage(
  { backend, route, split }: ReadingContext,
  member: Member,
  cursor: string | null,
  signal: AbortSignal,
): Promise<EvidencePage> {
  if (split.rollout === null) throw new SluiceError('plan-invalid', 'a split without a rollout cannot be sampled');
  return backend.readEvidence(member, route, split.rollout, cursor, signal);
}

async function standingOf(
  context: ReadingContext,
  member: Member,
  page: EvidencePage,
  signal: AbortSignal,
): Promise<Standing> {
  const { split } = context;
  const { open } = page;
  const ours = open.rollout === split.rollout;
  if (ours && open.generation === split.generation) {
    if (open.inForce) return { kind: 'in-force' };
    return { kind: 'expired', notInForceMs: Math.max(0, page.now - (open.leaseExpiresAt ?? page.now)) };
  }
  if (open.generation >= split.generation) return foreign(open.generation, open.rollout);
  return mend(context, member, signal);
}

/** Writes exactly the split in force; a member that has seen more refuses it. */
async function mend(context: ReadingContext, member: Member, signal: AbortSignal): Promise<Standing> {
  try {
    const outcome = await context.backend.writeSplit(member, context.route, context.split, {}, signal);
    switch (outcome.kind) {
      case 'confirmed':
        return { kind: 'mended', leaseExpiresAt: outcome.view.leaseExpiresAt };
      case 'stale':
      case 'owned':
        return foreign(outcome.current.split.generation, outcome.current.split.rollout);
    }
  } catch (error) {
    return { kind: 'unmended', why: asSluiceError(member, error).message };
  }
}

function foreign(generation: number, rollout: string | null): Standing {
  const owner = rollout === null ? 'no rollout' : `rollout ${rollout}`;
  return { kind: 'foreign', generation, why: `obeys generation ${generation} of ${owner}` };
}

function tooSlow(member: Member): BackendError {
  return new BackendError(
    'router-unreachable',
    member.address,
    `router ${member.address} took longer than ${PATIENCE_MS} ms to answer; check its load and the network`,
  );
}
