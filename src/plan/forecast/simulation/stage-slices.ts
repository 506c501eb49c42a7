import type { StagePlan } from '../../types.js';

/** One slice is this much longer than what was before it, unless told. */
const GROWTH = 1.08;

/** A part of a stage that is drawn as one interval; ms from the stage's beginning. */
export interface StageSlice {
  readonly startMs: number;
  readonly endMs: number;
  readonly warmup: boolean;
}

/**
 * Cuts a stage, its extension included, into intervals that grow with its age: neighbouring intervals of one allocation
 * may be merged by time (method §3.4), and weeks of short ones take hours to draw. None lies across the end of the
 * warm-up or of the stage's own time.
 */
export function stageSlices(stage: StagePlan, growth = GROWTH): readonly StageSlice[] {
  const { intervalMs, durationMs } = stage;
  const endMs = stage.onUndecided === 'extend' ? stage.maxDurationMs : durationMs;
  const warmupEnd = Math.ceil(stage.warmupMs / intervalMs) * intervalMs;
  const slices: StageSlice[] = [];
  for (let startMs = 0; startMs < endMs;) {
    const next = Math.max(startMs + intervalMs, Math.floor((startMs * growth) / intervalMs) * intervalMs);
    const cuts = [warmupEnd, durationMs, endMs].filter((cut) => cut > startMs);
    const end = Math.min(next, ...cuts);
    slices.push({ startMs, endMs: end, warmup: startMs < warmupEnd });
    startMs = end;
  }
  return slices;
}
