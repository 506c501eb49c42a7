import { describe, expect, it } from 'vitest';

import { decideLook } from '../../src/statistics/decide.js';
import type { LookEvidence } from '../../src/statistics/decide.js';
import { StatisticsError } from '../../src/statistics/errors.js';

/** A healthy look whose gates are open and whose time has come. */
const HEALTHY: LookEvidence = {
  rollback: { logE: { error: 0, p95: 0 }, weights: { error: 0.6, p95: 0.4 }, alpha: 0.05 },
  hold: { logE: { refusal: 0 }, weights: { refusal: 1 }, alpha: 0.05 },
  gates: { logE: { error: 3.1, p95: 4 }, alpha: 0.05 },
  sampleRatio: { logE: 0, alpha: 0.001 },
  elapsedSeconds: 4000,
  minimumSeconds: 3600,
  maximumSeconds: 86_400,
  enoughRequests: true,
};

const BREACHED = { ...HEALTHY.rollback, logE: { error: 5, p95: 0 } };
const SUSPICIOUS = { ...HEALTHY.hold, logE: { refusal: 3 } };
const MISASSIGNED = { ...HEALTHY.sampleRatio, logE: 7 };

describe('decideLook', () => {
  it('promotes a healthy candidate whose gates are open', () => {
    expect(decideLook(HEALTHY)).toEqual({ action: 'promote', because: [] });
  });

  it('lets a rollback win over everything, and mentions the sample ratio', () => {
    const look = { ...HEALTHY, rollback: BREACHED, hold: SUSPICIOUS };
    expect(decideLook(look)).toEqual({ action: 'rollback', because: ['error'] });
    expect(decideLook({ ...look, sampleRatio: MISASSIGNED })).toEqual({
      action: 'rollback',
      because: ['error', 'srm'],
    });
  });

  it('names the leading metric where the closed test names none', () => {
    const both = { ...HEALTHY.rollback, logE: { error: 3.4, p95: -40 } };
    expect(decideLook({ ...HEALTHY, rollback: both }).action).toBe('promote');
    const crossed = { logE: { a: 3.64, b: 3.64, c: -40 }, weights: { a: 0.3, b: 0.3, c: 0.4 }, alpha: 0.05 };
    expect(decideLook({ ...HEALTHY, rollback: crossed })).toEqual({ action: 'rollback', because: ['a'] });
  });

  it('holds for the sample ratio before it holds for a metric, and both before a promotion', () => {
    expect(decideLook({ ...HEALTHY, hold: SUSPICIOUS, sampleRatio: MISASSIGNED })).toEqual({
      action: 'hold',
      because: ['srm'],
    });
    expect(decideLook({ ...HEALTHY, hold: SUSPICIOUS })).toEqual({ action: 'hold', because: ['refusal'] });
  });

  it('continues until time, requests and every gate agree', () => {
    const waiting = { action: 'continue', because: [] };
    expect(decideLook({ ...HEALTHY, elapsedSeconds: 3599 })).toEqual(waiting);
    expect(decideLook({ ...HEALTHY, enoughRequests: false })).toEqual(waiting);
    expect(decideLook({ ...HEALTHY, gates: { ...HEALTHY.gates, logE: { error: 3.1, p95: 2.9 } } })).toEqual(waiting);
    expect(decideLook({ ...HEALTHY, gates: { ...HEALTHY.gates, logE: {} } })).toEqual(waiting);
  });

  it('is inconclusive at the deadline, with the gates still shut', () => {
    const late = {
      ...HEALTHY,
      elapsedSeconds: 86_400,
      gates: { logE: { error: 3.1, p95: 2.9, ttft: -5 }, alpha: 0.05 },
    };
    expect(decideLook(late)).toEqual({ action: 'inconclusive', because: ['p95', 'ttft'] });
  });

  it('does without a hold family', () => {
    expect(decideLook({ ...HEALTHY, hold: { logE: {}, weights: {}, alpha: 0.05 } }).action).toBe('promote');
  });

  it.each([
    { rollback: { ...HEALTHY.rollback, logE: { error: Number.NaN, p95: 0 } } },
    { rollback: { ...HEALTHY.rollback, logE: { error: 0 } } },
    { rollback: { ...HEALTHY.rollback, weights: { error: 1 } } },
    { rollback: { ...HEALTHY.rollback, weights: { error: 0.6, p95: 0.3 } } },
    { gates: { logE: { error: Number.NaN }, alpha: 0.05 } },
    { sampleRatio: { logE: Number.NaN, alpha: 0.001 } },
    { elapsedSeconds: Number.NaN },
  ])('refuses %o', (change) => {
    expect(() => decideLook({ ...HEALTHY, rollback: BREACHED, ...change })).toThrow(StatisticsError);
  });
});
