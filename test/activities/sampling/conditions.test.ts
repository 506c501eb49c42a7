import { describe, expect, it } from 'vitest';
import { clockSkew } from '../../../activities/sampling/clock-skew.js';
import { nameState, observe, startCondition } from '../../../activities/sampling/evidence-state.js';
import type { Observation } from '../../../activities/sampling/evidence-state.js';
import type { AnsweredReading, MemberReading, Standing } from '../../../activities/sampling/member-reading.js';
import { GRACE_POLLS } from '../../../activities/sampling/persistence.js';
import { quietAfterMs, startTrafficWatch, watchTraffic } from '../../../activities/sampling/traffic-watch.js';
import { BackendError } from '../../../src/backends/backend-error.js';
import type { EvidencePage } from '../../../src/evidence/record.js';
import { evidenceRecord } from '../../helpers/evidence-record.js';

const T0 = Date.parse('2026-11-24T09:00:00.000Z');

function page(now: number, starts = 0): EvidencePage {
  return {
    replica: 'replica-1',
    process: 'process-1',
    now,
    closedThrough: now,
    open: {
      generation: 1,
      rollout: null,
      inForce: true,
      leaseExpiresAt: null,
      recent: { stable: { started: starts, failed: 0 }, candidate: { started: 0, failed: 0 } },
      mirror: { chosen: 0, dropped: 0, answered: 0 },
    },
    records: [],
    ratings: [],
    cursor: 'c',
    more: false,
  };
}

function answered(
  address: string,
  now: number,
  options: { standing?: Standing; at?: number; took?: number; starts?: number } = {},
): AnsweredReading {
  const last = page(now, options.starts);
  const sentAt = options.at ?? 0;
  return {
    kind: 'answered',
    member: { address, tokenEnv: 'T' },
    pages: [last],
    last,
    standing: options.standing ?? { kind: 'in-force' },
    sentAt,
    answeredAt: sentAt + (options.took ?? 0),
  };
}

const silent: MemberReading = {
  kind: 'silent',
  member: { address: 'http://b', tokenEnv: 'T' },
  error: new BackendError('router-unreachable', 'http://b', 'router http://b does not answer'),
  at: 0,
};

describe('clockSkew', () => {
  const temporal = { at: (monotonic: number) => T0 + monotonic, exact: true };

  it.each([
    ['names a router that is ahead', T0 + 5_001, 'the clock of http://a is 5.0 s ahead of'],
    ['names a router that is behind', T0 - 60_000, 'the clock of http://a is 60.0 s behind'],
  ])('%s', (_what, now, words) => {
    expect(clockSkew([answered('http://a', now)], temporal, 1_000)).toContain(words);
  });

  it.each([T0 - 5_000, T0, T0 + 5_000])('takes %d for right', (now) => {
    expect(clockSkew([answered('http://a', now)], temporal, 1_000)).toBeNull();
  });

  it('allows one interval where that is more', () => {
    expect(clockSkew([answered('http://a', T0 + 50_000)], temporal, 60_000)).toBeNull();
    expect(clockSkew([answered('http://a', T0 + 60_001)], temporal, 60_000)).not.toBeNull();
  });

  it('gives a slow answer the benefit of the doubt', () => {
    expect(clockSkew([answered('http://a', T0 + 7_000, { took: 4_001 })], temporal, 1_000)).toBeNull();
    expect(clockSkew([answered('http://a', T0 + 9_100, { took: 4_000 })], temporal, 1_000)).not.toBeNull();
  });

  it('says nothing of a router that is ahead of a mere lower bound', () => {
    const bound = { ...temporal, exact: false };
    expect(clockSkew([answered('http://a', T0 + 600_000)], bound, 1_000)).toBeNull();
    expect(clockSkew([answered('http://a', T0 - 6_000)], bound, 1_000)).toContain('behind');
  });

  it('compares the routers with each other', () => {
    const bound = { ...temporal, exact: false };
    const readings = [answered('http://a', T0 + 100_000), answered('http://b', T0 + 100_000 + 5_002)];
    expect(clockSkew(readings, bound, 1_000)).toContain('http://a and http://b differ by 5.0 s');
  });
});

describe('the evidence state', () => {
  const calm: Observation = {
    readings: [answered('http://a', T0)],
    listed: new Set(['http://a', 'http://b']),
    skew: null,
    hardStop: { kind: 'none' },
    traffic: { quiet: false },
  };
  const after = (polls: number, seen: Observation, from = startCondition('ok')) => {
    let condition = from;
    for (let poll = 0; poll < polls; poll += 1) condition = observe(condition, seen);
    return condition;
  };

  it.each([
    ['a member that is cut off', { ...calm, readings: [silent] }, 'router-not-converged', 'http://b does not answer'],
    [
      'a member that cannot be mended',
      {
        ...calm,
        readings: [answered('http://a', T0, { standing: { kind: 'unmended', why: 'router http://a refused' } })],
      },
      'router-not-converged',
      'refused',
    ],
    ['a skewed clock', { ...calm, skew: 'the clock of http://a is 9 s ahead' }, 'clock-skew', 'ahead'],
  ] as const)('tells %s after the grace and not before', (_what, seen, state, detail) => {
    expect(nameState(after(GRACE_POLLS, seen)).state).toBe('ok');
    const named = nameState(after(GRACE_POLLS + 1, seen));
    expect(named.state).toBe(state);
    expect(named.detail).toContain(detail);
  });

  it('forgets a single lost answer', () => {
    let condition = startCondition('ok');
    for (let poll = 0; poll < 10; poll += 1) {
      condition = observe(condition, { ...calm, readings: [silent] });
      condition = observe(condition, calm);
      expect(nameState(condition).state).toBe('ok');
    }
  });

  it('is over only when it has stayed away', () => {
    const down = after(GRACE_POLLS + 1, { ...calm, readings: [silent] });
    expect(nameState(observe(down, calm)).state).toBe('router-not-converged');
    expect(nameState(observe(observe(down, calm), calm))).toEqual({ state: 'ok', detail: '' });
  });

  it('does not wait for who has left the fleet', () => {
    const left = { ...calm, readings: [silent], listed: new Set(['http://a']) };
    expect(nameState(after(20, left)).state).toBe('ok');
    expect(nameState(after(20, { ...left, listed: null })).state).toBe('router-not-converged');
  });

  it('keeps what the workflow knows until it is over', () => {
    const known = startCondition('router-not-converged');
    expect(nameState(observe(known, { ...calm, readings: [silent] })).state).toBe('router-not-converged');
  });

  it('names the source with its numbers, and the routers before it', () => {
    const starts = { stable: { started: 40, failed: 30 }, candidate: { started: 30, failed: 25 } };
    const down = { ...calm, hardStop: { kind: 'source-down', starts } } as const;
    expect(nameState(after(1, down))).toEqual({
      state: 'source-down',
      detail: 'in the last minute 30 of 40 requests failed at stable and 25 of 30 at the candidate',
    });
    expect(nameState(after(GRACE_POLLS + 1, { ...down, readings: [silent] })).state).toBe('router-not-converged');
  });
});

describe('watchTraffic', () => {
  const afterMs = 10_000;

  it('waits longer where intervals or stages are longer', () => {
    expect(quietAfterMs({ durationMs: 14_000, intervalMs: 1_000 })).toBe(10_000);
    expect(quietAfterMs({ durationMs: 14_000, intervalMs: 2_000 })).toBe(20_000);
    expect(quietAfterMs({ durationMs: 604_800_000, intervalMs: 60_000 })).toBe(600_000);
    expect(quietAfterMs({ durationMs: 3_600_000, intervalMs: 1_000 })).toBe(60_000);
  });

  it('is quiet after the time without a start, and no sooner', () => {
    let watch = watchTraffic(startTrafficWatch(false, null), [answered('http://a', T0)], [], afterMs);
    watch = watchTraffic(watch, [answered('http://a', T0 + 9_999)], [], afterMs);
    expect(watch.quiet).toBe(false);
    watch = watchTraffic(watch, [answered('http://a', T0 + 10_000)], [], afterMs);
    expect(watch.quiet).toBe(true);
  });

  it('takes a growing count of starts for traffic before an interval closes', () => {
    let watch = watchTraffic(startTrafficWatch(false, null), [answered('http://a', T0, { starts: 3 })], [], afterMs);
    watch = watchTraffic(watch, [answered('http://a', T0 + 9_000, { starts: 4 })], [], afterMs);
    watch = watchTraffic(watch, [answered('http://a', T0 + 18_000, { starts: 4 })], [], afterMs);
    expect(watch.quiet).toBe(false);
    watch = watchTraffic(watch, [answered('http://a', T0 + 19_000, { starts: 4 })], [], afterMs);
    expect(watch.quiet).toBe(true);
  });

  it('recovers with the first closed interval that has trials, not with the first request', () => {
    const quiet = startTrafficWatch(true, T0);
    const started = watchTraffic(quiet, [answered('http://a', T0 + 1, { starts: 9 })], [], afterMs);
    expect(started.quiet).toBe(true);
    const closed = evidenceRecord({ started: 1, completed: 1, error: { trials: 1, events: 0 } });
    expect(watchTraffic(started, [answered('http://a', T0 + 2)], [closed], afterMs).quiet).toBe(false);
  });

  it('says nothing while nobody answers', () => {
    const watch = startTrafficWatch(false, T0);
    expect(watchTraffic(watch, [], [], afterMs)).toBe(watch);
  });
});
