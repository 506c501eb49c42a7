import { describe, expect, it } from 'vitest';
import { findRate } from '../../../src/cli/demo/find-rate.js';
import type { TrafficCounters } from '../../../src/cli/demo/traffic-counters.js';

/** Traffic in front of a machine that answers at most `capacity` requests a second. */
function trafficOn(capacity: number) {
  const rates: number[] = [];
  let ok = 0;
  let rate = 0;
  let since = performance.now();
  const count = (): void => {
    const now = performance.now();
    ok += (Math.min(rate, capacity) * (now - since)) / 1_000;
    since = now;
  };
  const nothing = { sent: 0, failed: 0, aborted: 0, skipped: 0, inFlight: 0, failures: {} };
  return {
    rates,
    set: ({ requestsPerSecond = 0 }: { readonly requestsPerSecond?: number }): void => {
      count();
      rate = requestsPerSecond;
      rates.push(rate);
    },
    counters: (): TrafficCounters => {
      count();
      return {
        ...nothing,
        ok,
        variants: { stable: 0, candidate: 0, unknown: 0 },
        ratings: { sent: 0, accepted: 0, failed: 0 },
      };
    },
  };
}

describe('the rate of a demo', () => {
  it('is the wanted one on a machine that has room to spare', async () => {
    const traffic = trafficOn(2_000);
    expect(await findRate(traffic, 500, 20)).toBe(500);
    expect(traffic.rates.at(-1)).toBe(500);
  });

  it('is what a slow machine serves with room to spare', async () => {
    const rate = await findRate(trafficOn(400), 500, 20);
    expect(rate).toBeGreaterThan(100);
    expect(2.2 * 0.9 * rate).toBeLessThanOrEqual(400);
  });

  it('ends on a machine that serves nearly nothing', async () => {
    expect(await findRate(trafficOn(5), 500, 20)).toBeGreaterThan(50);
  });
});
