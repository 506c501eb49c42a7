/**
 * When is an interval closed on the whole fleet? A reducer over what the members say, without clock and without I/O.
 *
 * - Members *take part* from the first generation of the rollout that they confirm; the frontier is the least
 *   `closedThrough` of those that take part, and never moves back. With nobody taking part it stands still.
 * - A page that says `more` proves nothing about its `closedThrough` yet: the rest is still to be delivered. A page never
 *   splits an interval of one process, so what was delivered is whole for both variants.
 * - A member that comes back as another process has lost what its old process had open: those intervals are dropped for
 *   both variants, for that process only, simply by nobody waiting for them.
 * - A member that leaves calls unanswered for longer than the grace is *silent* and left out. The grace counts from the
 *   first unanswered call, never from the last answer, so that a worker that slept does not find the whole fleet silent.
 *   Its intervals from then on are incomplete, until its lease has run out: after that it files nothing, so nothing is
 *   missing. When it answers again it takes part again; what it then delivers from before the frontier is late.
 *
 * Times of members (`closedThrough`, leases) are by the routers' clocks, times of calls by any steady clock of the worker;
 * the two are never compared. The state is plain JSON: a heartbeat may carry it.
 */
import type { RolloutId } from '../plan/ids.js';
import type { EvidencePage } from './record.js';

export interface MemberProgress {
  /** Names that its evidence carries; null before its first page. */
  readonly replica: string | null;
  readonly process: string | null;
  /** Every interval of this member that ended at or before this is delivered, Unix ms. */
  readonly closedThrough: number;
  /** Highest generation of the rollout that it has confirmed; 0 = none, so that it takes no part. */
  readonly generation: number;
  /** When its lease ends at the latest, Unix ms by its own clock; null = not known, or no lease. */
  readonly leaseEndsAt: number | null;
  /** Start of the calls left unanswered, ms of the worker's steady clock; null when the last call was answered. */
  readonly unansweredSince: number | null;
  readonly silent: boolean;
}

/** Interval ends in (`after`, `through`] for which a silent member's evidence is missing. */
export interface IncompleteRange {
  readonly address: string;
  readonly replica: string | null;
  readonly process: string | null;
  readonly after: number;
  readonly through: number;
}

export interface FleetFrontier {
  readonly rollout: RolloutId;
  readonly intervalMs: number;
  readonly graceMs: number;
  /** Every interval that ended at or before this is closed on the whole fleet, Unix ms. */
  readonly closedThrough: number;
  /** By address. */
  readonly members: Readonly<Record<string, MemberProgress>>;
  /** What became incomplete since the last commit; `incompleteRecords` turns it into evidence. */
  readonly incomplete: readonly IncompleteRange[];
}

export interface FrontierStart {
  readonly rollout: RolloutId;
  /** Interval length of the split in force, ms. */
  readonly intervalMs: number;
  /** How long calls may stay unanswered, ms. */
  readonly graceMs: number;
  /** The ledger's frontier, Unix ms. */
  readonly closedThrough: number;
  /** The members remembered, with the generation each has confirmed and when a lease given so far ends at the latest. */
  readonly members: readonly {
    readonly address: string;
    readonly generation: number;
    readonly leaseEndsAt: number | null;
  }[];
}

/** The part of an evidence page that the frontier reads. */
export type FrontierPage = Pick<EvidencePage, 'replica' | 'process' | 'now' | 'closedThrough' | 'more'> & {
  readonly open: Pick<EvidencePage['open'], 'generation' | 'rollout' | 'inForce' | 'leaseExpiresAt'>;
};

export type FrontierEvent =
  /** The member confirmed a split of the rollout, whose lease ends at `leaseEndsAt` by its clock. */
  | {
      readonly kind: 'confirmed';
      readonly address: string;
      readonly generation: number;
      readonly leaseEndsAt: number | null;
    }
  | { readonly kind: 'page'; readonly address: string; readonly page: FrontierPage }
  /** Its lease was renewed and ends at `leaseEndsAt` at the latest, Unix ms by its clock. */
  | { readonly kind: 'renewed'; readonly address: string; readonly leaseEndsAt: number }
  /** A call failed or got no answer; `at` is ms of the worker's steady clock. */
  | { readonly kind: 'unanswered'; readonly address: string; readonly at: number }
  /** The ledger took the evidence together with the records of `incomplete`. */
  | { readonly kind: 'committed' };

/** The state of a collector that starts or takes over: nothing is known of the members but what was remembered. */
export function startFleetFrontier(start: FrontierStart): FleetFrontier {
  const { rollout, intervalMs, graceMs, closedThrough } = start;
  const members: Record<string, MemberProgress> = {};
  for (const { address, generation, leaseEndsAt } of start.members) {
    members[address] = { ...unheard(closedThrough), generation, leaseEndsAt };
  }
  return { rollout, intervalMs, graceMs, closedThrough, members, incomplete: [] };
}

/** The next state; `state` is left as it is. */
export function advanceFleetFrontier(state: FleetFrontier, event: FrontierEvent): FleetFrontier {
  if (event.kind === 'committed') return { ...state, incomplete: [] };
  const member = state.members[event.address] ?? unheard(state.closedThrough);
  const members = { ...state.members, [event.address]: advanceMember(state, member, event) };
  return moveOn({ ...state, members });
}

/** Whether the frontier waits for this member. */
export function takesPart(member: MemberProgress): boolean {
  return member.generation > 0 && !member.silent;
}

function unheard(closedThrough: number): MemberProgress {
  return {
    replica: null,
    process: null,
    // What ended at or before the frontier is either committed or late: no member can owe it.
    closedThrough,
    generation: 0,
    leaseEndsAt: null,
    unansweredSince: null,
    silent: false,
  };
}

function advanceMember(
  state: FleetFrontier,
  member: MemberProgress,
  event: Exclude<FrontierEvent, { readonly kind: 'committed' }>,
): MemberProgress {
  switch (event.kind) {
    case 'confirmed':
      return {
        ...member,
        generation: Math.max(member.generation, event.generation),
        leaseEndsAt: event.leaseEndsAt,
        unansweredSince: null,
        silent: false,
      };
    case 'renewed':
      return { ...member, leaseEndsAt: event.leaseEndsAt };
    case 'unanswered': {
      const unansweredSince = member.unansweredSince ?? event.at;
      return { ...member, unansweredSince, silent: event.at - unansweredSince > state.graceMs };
    }
    case 'page':
      return heard(state, member, event.page);
  }
}

function heard(state: FleetFrontier, member: MemberProgress, page: FrontierPage): MemberProgress {
  const { open } = page;
  const carriesRollout = open.rollout === state.rollout;
  return {
    replica: page.replica,
    process: page.process,
    closedThrough: closedBy(member, page),
    generation: carriesRollout ? Math.max(member.generation, open.generation) : member.generation,
    // A member that does not carry the rollout, or whose lease has run out, files no more evidence of it.
    leaseEndsAt: carriesRollout && open.inForce ? open.leaseExpiresAt : page.now,
    unansweredSince: null,
    silent: false,
  };
}

function closedBy(member: MemberProgress, page: FrontierPage): number {
  if (page.process === member.process) {
    return page.more ? member.closedThrough : Math.max(member.closedThrough, page.closedThrough);
  }
  // Another process: its own word counts, and before all is delivered no more than was known already.
  return page.more ? Math.min(member.closedThrough, page.closedThrough) : page.closedThrough;
}

function moveOn(state: FleetFrontier): FleetFrontier {
  const closed = Object.values(state.members)
    .filter(takesPart)
    .map(({ closedThrough }) => closedThrough);
  if (closed.length === 0) return state;
  const closedThrough = Math.min(...closed);
  if (closedThrough <= state.closedThrough) return state;
  let incomplete = state.incomplete;
  for (const [address, member] of Object.entries(state.members)) {
    if (!member.silent || member.generation === 0) continue;
    const after = Math.max(state.closedThrough, member.closedThrough);
    // An interval is whole without the member when it started at or after the end of the member's lease.
    const through =
      member.leaseEndsAt === null ? closedThrough : Math.min(closedThrough, member.leaseEndsAt + state.intervalMs - 1);
    if (through <= after) continue;
    const { replica, process } = member;
    incomplete = withRange(incomplete, { address, replica, process, after, through });
  }
  return { ...state, closedThrough, incomplete };
}

/** Joins a range to the one before it, so that a long silence stays one range. */
function withRange(ranges: readonly IncompleteRange[], next: IncompleteRange): readonly IncompleteRange[] {
  const joins = (range: IncompleteRange): boolean => range.address === next.address && range.through === next.after;
  if (!ranges.some(joins)) return [...ranges, next];
  return ranges.map((range) => (joins(range) ? { ...next, after: range.after } : range));
}
