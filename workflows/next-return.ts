/** Until when the collector may stay away: pure. */
import type { SampleTrafficInput } from '../activities/types.js';
import type { StagePlan } from '../src/plan/types.js';
import { newsOf } from './ab.js';
import { elapsedMs } from './clock.js';
import { currentStage } from './run.js';
import type { RolloutState } from './state.js';

const DAY_MS = 86_400_000;

export interface Return extends Pick<SampleTrafficInput, 'forMs' | 'reason' | 'untilPromotable'> {
  /** Index of the scheduled look that this is; null when it is none. */
  readonly look: number | null;
}

/** At once: what is closed by now, and a look. */
export const AT_ONCE: Return = { forMs: 1, reason: 'deadline', untilPromotable: false, look: null };

const DAILY: Return = { forMs: DAY_MS, reason: 'daily', untilPromotable: false, look: null };

/**
 * The next time at which the workflow wants to decide. `recheckAt` is when calendar window and checks are asked again, Unix ms.
 */
export function nextReturn(state: RolloutState, now: number, recheckAt: number | null): Return {
  // Paused, held or kept: the guardrails alone matter, and people see a look a day.
  if (state.control !== 'running' || state.kept || state.clock === null) return DAILY;
  const stage = currentStage(state);
  const elapsed = elapsedMs(state.clock, now);
  const freshAt = freshFrom(state);
  const look = nextLook(state, elapsed);
  const scheduled = stage.lookTimesMs[look];
  const returns: readonly Return[] = [
    ...(scheduled === undefined ? [] : [{ ...DAILY, forMs: scheduled - elapsed, reason: 'scheduled' as const, look }]),
    ...[
      stage.durationMs - elapsed,
      (state.deadlineMs ?? stage.durationMs) - elapsed,
      ...(freshAt === null || isFresh(state, now) ? [] : [Math.max(1, freshAt - now)]),
      ...(recheckAt === null ? [] : [recheckAt - now]),
    ].map((forMs) => ({ ...DAILY, forMs, reason: 'deadline' as const })),
    // As long as looks are scheduled they are enough.
    ...(scheduled !== undefined || elapsed < stage.durationMs ? [] : [DAILY]),
  ];
  const first = returns.filter(({ forMs }) => forMs > 0).toSorted((a, b) => a.forMs - b.forMs)[0] ?? DAILY;
  const untilPromotable = isFresh(state, now) && state.approval === null && awaitsEvidence(state, stage, elapsed);
  return { ...first, untilPromotable };
}

/** Whether the stage would end on evidence that the last look does not show. */
function awaitsEvidence(state: RolloutState, stage: StagePlan, elapsed: number): boolean {
  const { look, heard = [] } = state;
  if (stage.kind === 'ab') return newsOf({ stage, look, heard }) === null;
  return elapsed >= stage.durationMs && look?.promote.open !== true;
}

/** Index of the first scheduled look that is still to come; each counts once, also when the collector came back a little early. */
function nextLook(state: RolloutState, elapsed: number): number {
  const { lookTimesMs } = currentStage(state);
  const index = lookTimesMs.findIndex((time, position) => position >= state.scheduledLooks && time > elapsed);
  return index < 0 ? lookTimesMs.length : index;
}

/** When evidence is fresh again after a long stop or an outage, Unix ms; null when nothing is awaited. */
function freshFrom(state: RolloutState): number | null {
  if (state.freshSince === null) return null;
  const { warmupMs, intervalMs } = currentStage(state);
  // Intervals begin on a grid: one whole interval past warm-up is in after two lengths at the latest.
  return state.freshSince + warmupMs + 2 * intervalMs;
}

/** Whether the look is of now: a stage ends on a look taken at its end, not on one from before a wait. */
export function isCurrent(state: RolloutState, now: number): boolean {
  return state.look !== null && now - state.lookedAt <= Math.max(5_000, 2 * currentStage(state).intervalMs);
}

/** Whether evidence is fresh, and a look has been taken since it is. */
export function isFresh(state: RolloutState, now: number): boolean {
  const from = freshFrom(state);
  return from === null || (now >= from && state.lookedAt >= from);
}
