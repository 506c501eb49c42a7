import { describe, expect, it } from 'vitest';
import { advanceFleetFrontier, startFleetFrontier, takesPart } from '../../src/evidence/fleet-frontier.js';
import type { FleetFrontier, FrontierEvent, FrontierPage } from '../../src/evidence/fleet-frontier.js';
import { incompleteRecords } from '../../src/evidence/incomplete-records.js';
import { violationsOf } from '../../src/evidence/validate-record.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';
import { ROLLOUT } from './records.js';

const INTERVAL_MS = 10;
const GRACE_MS = 100;

function start(addresses: readonly string[], leaseEndsAt: number | null = null): FleetFrontier {
  return startFleetFrontier({
    rollout: ROLLOUT,
    intervalMs: INTERVAL_MS,
    graceMs: GRACE_MS,
    closedThrough: 1000,
    members: addresses.map((address) => ({ address, generation: 1, leaseEndsAt })),
  });
}

interface PageFields extends Partial<Omit<FrontierPage, 'open'>> {
  readonly open?: Partial<FrontierPage['open']>;
}

function page(address: string, closedThrough: number, fields: PageFields = {}): FrontierEvent {
  const open = { generation: 1, rollout: ROLLOUT, inForce: true, leaseExpiresAt: null, ...fields.open };
  const process = `${address}-first`;
  return {
    kind: 'page',
    address,
    page: { replica: `${address}-replica`, process, now: closedThrough, closedThrough, more: false, ...fields, open },
  };
}

function unanswered(address: string, at: number): FrontierEvent {
  return { kind: 'unanswered', address, at };
}

function after(state: FleetFrontier, ...events: readonly FrontierEvent[]): FleetFrontier {
  return events.reduce(advanceFleetFrontier, state);
}

describe('the frontier of the fleet', () => {
  it('is the least closedThrough of the members that take part', () => {
    const one = after(start(['a', 'b', 'c']), page('a', 1030), page('b', 1020));
    expect(one.closedThrough).toBe(1000);
    expect(after(one, page('c', 1040)).closedThrough).toBe(1020);
  });

  it('does not wait for a member that has confirmed nothing, and waits from the confirmation on', () => {
    const joined = after(start(['a']), page('new', 1000, { open: { generation: 0, rollout: null } }), page('a', 1050));
    expect(joined.closedThrough).toBe(1050);
    const confirmed = after(joined, { kind: 'confirmed', address: 'new', generation: 1, leaseEndsAt: null });
    expect(after(confirmed, page('a', 1080)).closedThrough).toBe(1050);
    expect(after(confirmed, page('a', 1080), page('new', 1070)).closedThrough).toBe(1070);
  });

  it('takes a generation in force for a confirmation whose answer was lost', () => {
    const state = after(start(['a']), page('b', 1010), page('a', 1050));
    expect(state.closedThrough).toBe(1010);
  });

  it('takes another rollout in force for no confirmation', () => {
    const other = { generation: 9, rollout: rolloutId('support@2026-11-25T09:00:00Z') };
    expect(after(start(['a']), page('b', 1010, { open: other }), page('a', 1050)).closedThrough).toBe(1050);
  });

  it('believes a page only when nothing is left behind it', () => {
    const partly = after(start(['a']), page('a', 1050, { more: true }));
    expect(partly.closedThrough).toBe(1000);
    expect(after(partly, page('a', 1050)).closedThrough).toBe(1050);
  });

  it('never moves back', () => {
    const state = after(start(['a']), page('a', 1050), page('a', 1020), page('a', 1030, { process: 'second' }));
    expect(state.closedThrough).toBe(1050);
  });

  it('stands still when nobody takes part', () => {
    const state = after(start(['a']), unanswered('a', 0), unanswered('a', GRACE_MS + 1));
    expect(state.closedThrough).toBe(1000);
    expect(state.incomplete).toEqual([]);
  });
});

describe('a member that restarts', () => {
  it('no longer keeps open what its old process had open', () => {
    const running = after(start(['a', 'b']), page('a', 1020), page('b', 1050));
    expect(running.closedThrough).toBe(1020);
    const restarted = after(running, page('a', 1060, { process: 'second' }));
    expect(restarted.closedThrough).toBe(1050);
    expect(restarted.incomplete).toEqual([]);
  });

  it('first delivers what its old process had closed', () => {
    const running = after(start(['a', 'b']), page('a', 1020), page('b', 1090));
    const restarted = after(running, page('a', 1060, { process: 'second', more: true }));
    expect(restarted.closedThrough).toBe(1020);
    expect(after(restarted, page('a', 1060, { process: 'second' })).closedThrough).toBe(1060);
  });

  it('counts by its own word when its clock came back behind', () => {
    const running = after(start(['a', 'b']), page('a', 1050), page('b', 1020));
    const restarted = after(running, page('a', 1030, { process: 'second', more: true }), page('b', 1090));
    expect(restarted.closedThrough).toBe(1030);
  });
});

describe('a silent member', () => {
  const silence = [unanswered('b', 5000), unanswered('b', 5000 + GRACE_MS + 1)];

  it('is waited for through the grace, then left out', () => {
    const state = after(start(['a', 'b']), page('b', 1010), page('a', 1050), unanswered('b', 5000));
    const patient = after(state, unanswered('b', 5000 + GRACE_MS));
    expect(patient.closedThrough).toBe(1010);
    const impatient = after(patient, unanswered('b', 5000 + GRACE_MS + 1));
    expect(impatient.closedThrough).toBe(1050);
    expect(Object.entries(impatient.members).filter(([, member]) => takesPart(member))).toHaveLength(1);
  });

  it('has a new grace after each answer, and after a pause of the worker', () => {
    const answered = after(start(['a', 'b']), page('a', 1050), unanswered('b', 0), page('b', 1010));
    expect(after(answered, unanswered('b', 1_000_000)).closedThrough).toBe(1010);
  });

  it('leaves its intervals incomplete, as records that say so', () => {
    const state = after(start(['a', 'b']), page('b', 1010), page('a', 1035), ...silence);
    expect(state.incomplete).toEqual([
      { address: 'b', replica: 'b-replica', process: 'b-first', after: 1010, through: 1035 },
    ]);
    const records = incompleteRecords(state, { generation: 1, stage: stageName('canary-5') });
    expect(records.flatMap(violationsOf)).toEqual([]);
    expect(
      records.map(({ replica, process, intervalStart, incomplete }) => [replica, process, intervalStart, incomplete]),
    ).toEqual([
      ['b-replica', 'b-first', 1010, true],
      ['b-replica', 'b-first', 1020, true],
    ]);
  });

  it('joins the ranges of one silence, and forgets them when they are committed', () => {
    const state = after(start(['a', 'b']), page('a', 1030), ...silence, page('a', 1050));
    expect(state.incomplete).toEqual([{ address: 'b', replica: null, process: null, after: 1000, through: 1050 }]);
    const records = incompleteRecords(state, { generation: 1, stage: stageName('canary-5') });
    expect(records.map(({ replica, process }) => `${replica} ${process}`)).toEqual(Array(5).fill('b unheard'));
    const committed = after(state, { kind: 'committed' }, page('a', 1060));
    expect(committed.incomplete.map((range) => [range.after, range.through])).toEqual([[1050, 1060]]);
  });

  it('misses nothing once its lease has run out', () => {
    const lease = { open: { leaseExpiresAt: 1025 } };
    const state = after(start(['a', 'b']), page('b', 1010, lease), ...silence, page('a', 1200));
    const records = incompleteRecords(state, { generation: 1, stage: stageName('canary-5') });
    // The interval from 1020 on holds the end of the lease; the one from 1030 on is whole without the member.
    expect(records.map(({ intervalStart }) => intervalStart)).toEqual([1010, 1020]);
    const renewed = after(start(['a', 'b']), page('b', 1010, lease), {
      kind: 'renewed',
      address: 'b',
      leaseEndsAt: 1041,
    });
    const longer = after(renewed, ...silence, page('a', 1200));
    expect(longer.incomplete.map(({ through }) => through)).toEqual([1050]);
  });

  it('misses nothing when its split was not in force', () => {
    const expired = { open: { inForce: false, leaseExpiresAt: 900 } };
    const state = after(start(['a', 'b']), page('b', 1010, expired), ...silence, page('a', 1200));
    expect(state.closedThrough).toBe(1200);
    expect(incompleteRecords(state, { generation: 1, stage: stageName('canary-5') })).toEqual([]);
  });

  it('takes part again when it answers', () => {
    const state = after(start(['a', 'b']), page('b', 1010), ...silence, page('a', 1050));
    const back = after(state, page('b', 1030, { more: true }), page('a', 1090));
    expect(back.closedThrough).toBe(1050);
    expect(after(back, page('b', 1080)).closedThrough).toBe(1080);
  });
});

it('leaves the state it was given as it is, and is plain JSON', () => {
  const state = after(start(['a', 'b']), page('b', 1010), page('a', 1035));
  const copy: unknown = JSON.parse(JSON.stringify(state));
  after(state, unanswered('b', 0), unanswered('b', 1000), { kind: 'committed' });
  expect(state).toEqual(copy);
});
