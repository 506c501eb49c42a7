/** The stage clock: whole milliseconds, running or standing still. */
import type { StageClock } from './state.js';

export function startClock(now: number): StageClock {
  return { startedAt: now, elapsedMs: 0, runningSince: now };
}

export function elapsedMs(clock: StageClock | null, now: number): number {
  if (clock === null) return 0;
  return clock.elapsedMs + (clock.runningSince === null ? 0 : Math.max(0, now - clock.runningSince));
}

export function stopClock(clock: StageClock, now: number): StageClock {
  return { ...clock, elapsedMs: elapsedMs(clock, now), runningSince: null };
}

export function resumeClock(clock: StageClock, now: number): StageClock {
  return clock.runningSince === null ? { ...clock, runningSince: now } : clock;
}

/** Takes back time in which the split was not in force, as far as the clock has run. */
export function setBackClock(clock: StageClock, byMs: number, now: number): StageClock {
  const elapsed = Math.max(0, elapsedMs(clock, now) - Math.max(0, byMs));
  return { ...clock, elapsedMs: elapsed, runningSince: clock.runningSince === null ? null : now };
}
