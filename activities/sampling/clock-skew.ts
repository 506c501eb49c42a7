/** Are the routers' clocks right? Compared with each other and with Temporal's time, never with the worker's wall clock. */
import type { AnsweredReading } from './member-reading.js';

export interface ReferenceTime {
  /** Temporal's time at a monotonic time, Unix ms. */
  readonly at: (monotonicMs: number) => number;
  /** Else it is a lower bound: only a router that is behind can be told. */
  readonly exact: boolean;
}

/** A clock may be off by this or by one interval, whichever is more, ms. */
const TOLERANCE_MS = 5_000;

interface Offset {
  readonly address: string;
  /** The router's clock less the reference, ms, and how far that may be wrong: half of the round trip. */
  readonly ms: number;
  readonly uncertaintyMs: number;
}

/** What is wrong with the clocks, in a sentence; null when they agree. */
export function clockSkew(
  readings: readonly Pick<AnsweredReading, 'member' | 'pages' | 'sentAt' | 'answeredAt'>[],
  reference: ReferenceTime,
  intervalMs: number,
): string | null {
  const toleranceMs = Math.max(intervalMs, TOLERANCE_MS);
  const offsets = readings.flatMap((reading) => offsetOf(reading, reference));
  const off = offsets.find(({ ms, uncertaintyMs }) => {
    const beyond = Math.abs(ms) - uncertaintyMs > toleranceMs;
    return beyond && (reference.exact || ms < 0);
  });
  if (off !== undefined) {
    return `the clock of ${off.address} is ${spoken(off.ms)} Temporal's, more than ${toleranceMs / 1_000} s: set it right`;
  }
  const [slowest] = offsets.toSorted((a, b) => a.ms - b.ms);
  const fastest = offsets.toSorted((a, b) => b.ms - a.ms)[0];
  if (slowest === undefined || fastest === undefined) return null;
  const spread = fastest.ms - slowest.ms - fastest.uncertaintyMs - slowest.uncertaintyMs;
  if (spread <= toleranceMs) return null;
  return `the clocks of ${slowest.address} and ${fastest.address} differ by ${((fastest.ms - slowest.ms) / 1_000).toFixed(1)} s, more than ${toleranceMs / 1_000} s: set them right`;
}

function offsetOf(
  { member, pages, sentAt, answeredAt }: Pick<AnsweredReading, 'member' | 'pages' | 'sentAt' | 'answeredAt'>,
  reference: ReferenceTime,
): readonly Offset[] {
  const [page] = pages;
  if (page === undefined) return [];
  const uncertaintyMs = (answeredAt - sentAt) / 2;
  return [{ address: member.address, ms: page.now - reference.at(sentAt + uncertaintyMs), uncertaintyMs }];
}

function spoken(ms: number): string {
  return `${(Math.abs(ms) / 1_000).toFixed(1)} s ${ms < 0 ? 'behind' : 'ahead of'}`;
}
