import { describe, expect, it } from 'vitest';
import { isCurrent, isFresh, nextReturn } from '../../workflows/next-return.js';
import type { Return } from '../../workflows/next-return.js';
import type { RolloutState } from '../../workflows/state.js';
import { look, undecided } from './looks.js';
import { DAY, HOUR, WEEK } from './plans.js';
import { rolloutState } from './states.js';

// A stage of an hour with looks after a minute and at its end, warm-up of a minute, intervals of a second.
const fresh = { freshSince: 0 };

interface Row {
  readonly when: string;
  readonly state: Partial<RolloutState>;
  readonly now: number;
  readonly recheckAt?: number;
  readonly expected: Partial<Return>;
}

const table: readonly Row[] = [
  {
    when: 'it has just begun',
    state: {},
    now: 0,
    expected: { forMs: 60_000, reason: 'scheduled', look: 0, untilPromotable: false },
  },
  {
    when: 'the collector came back early',
    state: { scheduledLooks: 1 },
    now: 59_990,
    expected: { forMs: 3_540_010, look: 1 },
  },
  { when: 'a look was passed over', state: {}, now: 70_000, expected: { forMs: HOUR - 70_000, look: 1 } },
  {
    when: 'paused',
    state: { control: 'paused' },
    now: 0,
    expected: { forMs: DAY, reason: 'daily', untilPromotable: false },
  },
  { when: 'held', state: { control: 'held' }, now: 0, expected: { forMs: DAY, reason: 'daily' } },
  { when: 'kept', state: { kept: true }, now: 0, expected: { forMs: DAY, reason: 'daily' } },
  { when: 'its clock has not begun', state: { clock: null }, now: 0, expected: { forMs: DAY, reason: 'daily' } },
  {
    when: 'its clock ran before',
    state: { clock: { startedAt: 0, elapsedMs: HOUR / 2, runningSince: 5 * HOUR } },
    now: 5 * HOUR,
    expected: { forMs: HOUR / 2, look: 1 },
  },
  {
    when: 'extended and undecided',
    state: { deadlineMs: 2 * HOUR, look: undecided() },
    now: HOUR,
    expected: { forMs: HOUR, reason: 'deadline', untilPromotable: true },
  },
  {
    when: 'extended for long',
    state: { deadlineMs: 2 * WEEK, look: undecided() },
    now: HOUR,
    expected: { forMs: DAY, reason: 'daily', untilPromotable: true },
  },
  {
    when: 'the evidence is in and something else is awaited',
    state: { look: look() },
    now: HOUR,
    expected: { forMs: DAY, reason: 'daily', untilPromotable: false },
  },
  {
    when: 'a person promoted and the evidence state is awaited',
    state: { approval: { by: 'ann', reason: 'x' } },
    now: HOUR,
    expected: { untilPromotable: false },
  },
  {
    when: 'the window opens soon',
    state: { look: look() },
    now: HOUR,
    recheckAt: HOUR + 5_000,
    expected: { forMs: 5_000, reason: 'deadline' },
  },
  { when: 'the window opened just now', state: { look: look() }, now: HOUR, recheckAt: HOUR, expected: { forMs: DAY } },
  {
    when: 'fresh evidence is awaited',
    state: { ...fresh, freshSince: HOUR },
    now: HOUR,
    expected: { forMs: 62_000, reason: 'deadline', untilPromotable: false },
  },
  {
    when: 'fresh evidence is there and nobody has looked',
    state: { ...fresh, lookedAt: 61_000 },
    now: 63_000,
    expected: { forMs: 1, reason: 'deadline' },
  },
  {
    when: 'fresh evidence is there and looked at',
    state: { ...fresh, lookedAt: 62_000 },
    now: 63_000,
    expected: { forMs: HOUR - 63_000, look: 1 },
  },
];

describe('nextReturn', () => {
  it.each(table)('$when', ({ state, now, recheckAt, expected }) => {
    expect(nextReturn(rolloutState(state), now, recheckAt ?? null)).toMatchObject(expected);
  });
});

describe('the age of a look', () => {
  it('is current for two intervals, at least five seconds', () => {
    const state = rolloutState({ look: look(), lookedAt: 10_000 });
    expect([isCurrent(state, 15_000), isCurrent(state, 15_001)]).toEqual([true, false]);
    expect(isCurrent(rolloutState({ lookedAt: 10_000 }), 10_000)).toBe(false);
  });

  it('is fresh when it was taken a full interval past warm-up', () => {
    expect(isFresh(rolloutState(), 0)).toBe(true);
    expect(isFresh(rolloutState({ freshSince: 0, lookedAt: 62_000 }), 62_000)).toBe(true);
    expect(isFresh(rolloutState({ freshSince: 0, lookedAt: 61_999 }), 70_000)).toBe(false);
  });
});
