/** A rate of requests that the machine serves with room to spare, found before the rollout begins. */
import { setTimeout as delay } from 'node:timers/promises';
import type { SampleTraffic } from './sample-traffic.js';

/** A mirrored stage answers each request twice, and worker and Temporal want their part. */
const HEADROOM = 2.2;
const PROBE_MS = 1_500;
/** Answers among those due at which a rate counts as served. */
const SERVED_SHARE = 0.9;
const NEXT = 0.7;
/** Below this part of the wanted rate the demo goes on with what there is. */
const LEAST_PART = 0.2;

type Probed = Pick<SampleTraffic, 'set' | 'counters'>;

/**
 * Drives the traffic harder than it is wanted, for moments; what cannot be served is asked for less. A machine that is
 * busy with other things would else compare two queues instead of two models.
 * @param probeMs how long each rate is tried
 * @returns requests per second, at most `wanted`, at which the traffic runs afterwards
 */
export async function findRate(traffic: Probed, wanted: number, probeMs = PROBE_MS): Promise<number> {
  let rate = wanted;
  while (!(await isServed(traffic, HEADROOM * rate, probeMs)) && rate > LEAST_PART * wanted) rate *= NEXT;
  traffic.set({ requestsPerSecond: rate });
  await delay(probeMs);
  return rate;
}

async function isServed(traffic: Probed, requestsPerSecond: number, probeMs: number): Promise<boolean> {
  traffic.set({ requestsPerSecond });
  const before = answered(traffic);
  const began = performance.now();
  await delay(probeMs);
  const seconds = (performance.now() - began) / 1_000;
  return answered(traffic) - before >= SERVED_SHARE * requestsPerSecond * seconds;
}

/** Errors are answers too. */
function answered(traffic: Probed): number {
  const { ok, failed, aborted } = traffic.counters();
  return ok + failed + aborted;
}
