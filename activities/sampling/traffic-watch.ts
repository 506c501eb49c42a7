/** Does anybody use the route? By the routers' clocks: when a request was last known to start. */
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { intervalEnd } from '../../src/evidence/record.js';
import type { StagePlan } from '../../src/plan/types.js';
import type { AnsweredReading } from './member-reading.js';

/** The routers count starts over this long, ms. */
const RECENT_MS = 60_000;

/** Stages of seconds are for demonstrations and tests. */
const SHORT_STAGE_MS = 600_000;

export interface TrafficWatch {
  /** By the routers' clocks, Unix ms; null before the first answer. */
  readonly lastStartAt: number | null;
  readonly quiet: boolean;
  /** Starts of the last minute by member and process, as last seen. */
  readonly counted: Readonly<Record<string, number>>;
}

/** How long nobody may ask before it is told, ms. */
export function quietAfterMs(stage: Pick<StagePlan, 'durationMs' | 'intervalMs'>): number {
  return Math.max(stage.durationMs < SHORT_STAGE_MS ? 10_000 : 60_000, 10 * stage.intervalMs);
}

export function startTrafficWatch(quiet: boolean, lastStartAt: number | null): TrafficWatch {
  return { lastStartAt, quiet, counted: {} };
}

/** The state after a poll. `committed` are the records of intervals that closed with it. */
export function watchTraffic(
  watch: TrafficWatch,
  readings: readonly Pick<AnsweredReading, 'member' | 'last'>[],
  committed: readonly EvidenceRecord[],
  afterMs: number,
): TrafficWatch {
  if (readings.length === 0) return watch;
  const now = Math.max(...readings.map(({ last }) => last.now));
  const counted = Object.fromEntries(
    readings.map(({ member, last }) => [`${member.address} ${last.process}`, startsOf(last)]),
  );
  const signs = [watch.lastStartAt ?? now];
  for (const record of committed) if (record.started > 0) signs.push(intervalEnd(record));
  for (const { member, last } of readings) {
    const starts = startsOf(last);
    const before = watch.counted[`${member.address} ${last.process}`];
    // More than a poll ago means that somebody came; a count that only stands may be a minute old.
    if (before !== undefined && starts > before) signs.push(last.now);
    else if (starts > 0) signs.push(last.now - RECENT_MS);
  }
  const lastStartAt = Math.max(...signs);
  // Back to normal comes with evidence, not with the first request.
  const recovered = committed.some((record) => record.error.trials > 0);
  const quiet = watch.quiet ? !recovered : now - lastStartAt >= afterMs;
  return { lastStartAt, quiet, counted };
}

function startsOf({ open }: AnsweredReading['last']): number {
  return open.recent.stable.started + open.recent.candidate.started;
}
