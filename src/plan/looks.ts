/** When the looks of a stage are scheduled. */

export const MAX_LOOKS = 24;
/** Neighbouring looks are at least this ratio apart: closer ones would see nothing new. */
const RATIO = 1.25;
const MAX_EXTENSION_LOOKS = 8;

/**
 * Times of the scheduled looks on the stage's clock, whole ms, ascending: geometric from a few seconds (at most 5) to
 * the end of the stage, then on to the end of its extension; at most 24 in all.
 */
export function lookTimes(durationMs: number, maxDurationMs: number): readonly number[] {
  const extension = maxDurationMs > durationMs ? steps(durationMs, maxDurationMs, MAX_EXTENSION_LOOKS) : 0;
  const firstMs = Math.max(1, Math.min(5000, Math.round(durationMs / 4)));
  const times = [
    ...geometric(firstMs, durationMs, steps(firstMs, durationMs, MAX_LOOKS - extension - 1)),
    ...geometric(durationMs, maxDurationMs, extension).slice(1),
  ];
  return [...new Set(times)];
}

function steps(fromMs: number, toMs: number, most: number): number {
  if (toMs <= fromMs) return 0;
  return Math.min(most, Math.max(1, Math.floor(Math.log(toMs / fromMs) / Math.log(RATIO))));
}

/** `count` steps from `fromMs` to `toMs`, both ends included and exact. */
function geometric(fromMs: number, toMs: number, count: number): number[] {
  if (count === 0) return [fromMs];
  return Array.from({ length: count + 1 }, (_, index) =>
    index === count ? toMs : Math.round(fromMs * (toMs / fromMs) ** (index / count)),
  );
}
