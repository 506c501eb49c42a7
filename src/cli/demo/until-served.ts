import { setTimeout as delay } from 'node:timers/promises';
import type { SampleTraffic } from './sample-traffic.js';

/**
 * Waits until the router has answered that many requests; thresholds and rates come from them.
 * @returns answers per second over that time
 * @throws Error with the failures counted when it takes longer than `withinMs`
 */
export async function untilServed(traffic: SampleTraffic, answers: number, withinMs: number): Promise<number> {
  const began = performance.now();
  while (traffic.counters().ok < answers) {
    const { ok, failures } = traffic.counters();
    if (performance.now() - began > withinMs) {
      throw new Error(
        `the router answered ${ok} of ${answers} requests in ${withinMs / 1_000} s: ${JSON.stringify(failures)}`,
      );
    }
    await delay(50);
  }
  return traffic.counters().ok / ((performance.now() - began) / 1_000);
}
