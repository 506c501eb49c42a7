import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceFleetFrontier, startFleetFrontier, takesPart } from '../../src/evidence/fleet-frontier.js';
import type { FleetFrontier, FrontierEvent } from '../../src/evidence/fleet-frontier.js';
import { ROLLOUT } from './records.js';

const INTERVAL_MS = 10;
const GRACE_MS = 30;
const START = 1000;

const address = fc.constantFrom('a', 'b', 'c');

/** Anything that members and network may do, in any order, sense or no sense. */
const anyEvent: fc.Arbitrary<FrontierEvent> = fc.oneof(
  { weight: 4, arbitrary: anyPage() },
  fc.record({
    kind: fc.constant('confirmed' as const),
    address,
    generation: fc.integer({ min: 1, max: 3 }),
    leaseEndsAt: fc.option(fc.integer({ min: START, max: START + 300 }), { nil: null }),
  }),
  fc.record({
    kind: fc.constant('renewed' as const),
    address,
    leaseEndsAt: fc.integer({ min: START, max: START + 300 }),
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('unanswered' as const), address, at: fc.nat({ max: 200 }) }) },
  fc.constant({ kind: 'committed' as const }),
);

function anyPage(): fc.Arbitrary<FrontierEvent> {
  return fc
    .record({
      address,
      process: fc.constantFrom('p1', 'p2'),
      closedThrough: fc.integer({ min: START - 50, max: START + 250 }),
      more: fc.boolean(),
      generation: fc.nat({ max: 2 }),
      inForce: fc.boolean(),
      leaseExpiresAt: fc.option(fc.integer({ min: START, max: START + 300 }), { nil: null }),
    })
    .map(({ address: from, process, closedThrough, more, generation, inForce, leaseExpiresAt }) => {
      const open = { generation, rollout: generation === 0 ? null : ROLLOUT, inForce, leaseExpiresAt };
      return {
        kind: 'page',
        address: from,
        page: { replica: from, process, now: closedThrough, closedThrough, more, open },
      };
    });
}

function start(addresses: readonly string[]): FleetFrontier {
  return startFleetFrontier({
    rollout: ROLLOUT,
    intervalMs: INTERVAL_MS,
    graceMs: GRACE_MS,
    closedThrough: START,
    members: addresses.map((member) => ({ address: member, generation: 1, leaseEndsAt: null })),
  });
}

describe('whatever happens, the frontier', () => {
  it('never moves back, and never beyond a member that takes part', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let state = start(['a', 'b']);
        for (const event of events) {
          const next = advanceFleetFrontier(state, event);
          expect(next.closedThrough).toBeGreaterThanOrEqual(state.closedThrough);
          const taking = Object.values(next.members).filter(takesPart);
          const bound = Math.min(...taking.map(({ closedThrough }) => closedThrough));
          const allowed = taking.length === 0 ? state.closedThrough : Math.max(state.closedThrough, bound);
          expect(next.closedThrough).toBe(event.kind === 'committed' ? state.closedThrough : allowed);
          state = next;
        }
      }),
    );
  });

  it('passes a silent member only with its part marked incomplete, up to the end of its lease', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let state = start(['a', 'b']);
        for (const event of events) {
          const next = advanceFleetFrontier(state, event);
          for (const [name, member] of Object.entries(next.members)) {
            if (!member.silent || member.generation === 0) continue;
            for (let end = state.closedThrough + 1; end <= next.closedThrough; end += 1) {
              const owes =
                end > member.closedThrough && end - INTERVAL_MS < (member.leaseEndsAt ?? Number.POSITIVE_INFINITY);
              const marked = next.incomplete.some(
                (range) => range.address === name && range.after < end && end <= range.through,
              );
              expect(marked).toBe(owes);
            }
          }
          state = next;
        }
      }),
    );
  });
});

describe('a fleet that files, closes, delivers, restarts and joins', () => {
  it('has no record delivered late while its members answer, and the frontier catches up at the end', () => {
    const step = fc.record({
      member: fc.nat({ max: 2 }),
      act: fc.constantFrom('close', 'deliver', 'deliver', 'restart', 'lose a call', 'join'),
      intervals: fc.integer({ min: 1, max: 3 }),
      pageSize: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const fleet = ['a', 'b', 'c'].map((name) => new SimulatedMember(name));
        let state = start(['a', 'b']);
        const deliver = (member: SimulatedMember, pageSize: number): void => {
          const { ends, event } = member.page(pageSize);
          for (const end of ends) expect(end).toBeGreaterThan(state.closedThrough);
          state = advanceFleetFrontier(state, event);
        };
        for (const { member: index, act, intervals, pageSize } of steps) {
          const member = fleet[index];
          if (member === undefined) continue;
          if (act === 'close') member.close(intervals);
          if (act === 'restart') member.restart();
          if (act === 'join' && !member.joined) {
            // The split is written now: what the member files for the rollout starts here.
            member.join(Math.max(state.closedThrough, ...fleet.map(({ now }) => now)));
            state = advanceFleetFrontier(state, {
              kind: 'confirmed',
              address: member.name,
              generation: 1,
              leaseEndsAt: null,
            });
          }
          if (!member.joined) continue;
          if (act === 'deliver') deliver(member, pageSize);
          if (act === 'lose a call') {
            state = advanceFleetFrontier(state, { kind: 'unanswered', address: member.name, at: 0 });
          }
        }
        const joined = fleet.filter((member) => member.joined);
        for (const member of joined) deliver(member, Number.MAX_SAFE_INTEGER);
        expect(state.closedThrough).toBe(Math.max(START, Math.min(...joined.map(({ now }) => now))));
        expect(state.incomplete).toEqual([]);
      }),
    );
  });
});

/** A router's spool: closed intervals wait on disk until delivered, the open one dies with its process. */
class SimulatedMember {
  readonly name: string;
  joined: boolean;
  /** End of the last interval that is closed. */
  now = START;
  #starts = 1;
  readonly #waiting: number[] = [];

  constructor(name: string) {
    this.name = name;
    this.joined = name !== 'c';
  }

  close(intervals: number): void {
    for (let count = 0; count < intervals; count += 1) {
      this.now += INTERVAL_MS;
      if (this.joined) this.#waiting.push(this.now);
    }
  }

  /** It comes back an interval later, as another process, with what was closed. */
  restart(): void {
    this.#starts += 1;
    this.now += INTERVAL_MS;
  }

  join(now: number): void {
    this.joined = true;
    this.now = now;
  }

  page(size: number): { readonly ends: readonly number[]; readonly event: FrontierEvent } {
    const ends = this.#waiting.splice(0, size);
    const open = { generation: 1, rollout: ROLLOUT, inForce: true, leaseExpiresAt: null };
    const more = this.#waiting.length > 0;
    const page = {
      replica: this.name,
      process: `${this.name}${this.#starts}`,
      now: this.now,
      closedThrough: this.now,
      more,
      open,
    };
    return { ends, event: { kind: 'page', address: this.name, page } };
  }
}
