/** Assignments of one generation against its split. */
import type { StagePlan, Variant } from '../../plan/types.js';
import { sampleRatioLogE } from '../sample-ratio.js';

/** Shares closer than this are one share: written weights are decimals. */
const SHARE_TOLERANCE = 1e-9;

/** Assignments of units whose point on [0, 1) was known to lie in [low, high) before. */
export interface AssignmentClass {
  readonly low: number;
  readonly high: number;
  stable: number;
  candidate: number;
}

/** As plain data; it is its own snapshot. */
export interface AssignmentSegment {
  readonly stageIndex: number;
  readonly generation: number;
  /** Requests without a unit. */
  readonly alone: Record<Variant, number>;
  /** Distinct units by what was known of them; each counts for the variant that it was first seen on. */
  readonly classes: AssignmentClass[];
  /** Units seen on both variants. */
  bothSides: number;
  /** Requests served by the candidate although its share is 0. */
  leaked: number;
}

/** ln E of a segment: with units that are kept over the ramp, and with units that each generation draws afresh. Nats. */
export interface AssignmentLogE {
  readonly kept: number;
  readonly afresh: number;
}

export function emptySegment(stageIndex: number, generation: number): AssignmentSegment {
  return { stageIndex, generation, alone: { stable: 0, candidate: 0 }, classes: [], bothSides: 0, leaked: 0 };
}

export function classOf(segment: AssignmentSegment, low: number, high: number): AssignmentClass {
  const known = segment.classes.find((one) => one.low === low && one.high === high);
  if (known !== undefined) return known;
  const created: AssignmentClass = { low, high, stable: 0, candidate: 0 };
  segment.classes.push(created);
  return created;
}

/** Distinct units by variant. */
export function unitsOf({ classes }: AssignmentSegment): Readonly<Record<Variant, number>> {
  return classes.reduce(
    (sum, { stable, candidate }) => ({ stable: sum.stable + stable, candidate: sum.candidate + candidate }),
    { stable: 0, candidate: 0 },
  );
}

/**
 * ln E of a segment against the split. Infinity where something happened that the split rules out. Source: method §6.
 *
 * A unit whose point lies in [low, high) is the candidate's with probability (weight − low) ÷ (high − low): each class is a
 * segment of the Dirichlet-multinomial with that split, and one whose assignment was settled before says nothing unless
 * it is broken.
 */
export function segmentLogE(segment: AssignmentSegment, { weights }: StagePlan): AssignmentLogE {
  if (segment.leaked > 0 || segment.bothSides > 0) return { kept: Infinity, afresh: Infinity };
  if (weights.candidate === 0) return { kept: 0, afresh: 0 };
  const units = unitsOf(segment);
  const { alone } = segment;
  // Nothing was known of a request without a unit either.
  const unknown = { ...alone };
  let kept = 0;
  for (const one of segment.classes) {
    if (one.low === 0 && one.high === 1) {
      unknown.stable += one.stable;
      unknown.candidate += one.candidate;
    } else {
      kept += logEOf(one.stable, one.candidate, shareWithin(one.low, one.high, weights.candidate));
    }
  }
  kept += logEOf(unknown.stable, unknown.candidate, weights.candidate);
  const afresh = logEOf(alone.stable + units.stable, alone.candidate + units.candidate, weights.candidate);
  return { kept, afresh };
}

/** The probability of a point in [low, high) to lie below the weight. */
function shareWithin(low: number, high: number, weight: number): number {
  if (weight <= low + SHARE_TOLERANCE) return 0;
  if (weight >= high - SHARE_TOLERANCE) return 1;
  return (weight - low) / (high - low);
}

function logEOf(stable: number, candidate: number, share: number): number {
  if (share === 0) return candidate > 0 ? Infinity : 0;
  if (share === 1) return stable > 0 ? Infinity : 0;
  return stable + candidate === 0 ? 0 : sampleRatioLogE([stable, candidate], [1 - share, share]);
}
