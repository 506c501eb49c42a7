import {
  MINIMUM_CANDIDATE_EVENTS,
  comparisonScore,
  designEffect,
  stickyDesignEffect,
  variantScore,
} from '../design-effect.js';
import type { BucketCounts, ScorePart } from '../design-effect.js';
import { mergeUserSums } from './user-sums.js';
import type { UserSums } from './user-sums.js';

/** One stage's part of the design effects of all spans that cover it. */
export interface StageScore {
  /** Of the comparison. */
  readonly comparison: ScorePart;
  /** Of stable alone. */
  readonly stable: ScorePart;
  /** Too few events of the candidate yet: a span that begins here takes stable's own design effect. */
  readonly isEarly: boolean;
}

interface Kept {
  readonly version: number;
  readonly score: StageScore | null;
}

/** Whoever counts users in a stage. */
interface WithUsers {
  readonly users: UserSums;
}

/**
 * Stages' scores, kept until a stage's sums change: a rollout asks at every interval end for the design effect of every
 * span s … now, and only the stage that runs has changed. Generations of a stage are one segment of method §8.2.
 */
export class StickyUsers {
  private readonly kept = new Map<number, Kept>();

  /** The score of a stage whose segments are first … end − 1 of a list; null where no record told its users. */
  ofStage(stageIndex: number, segments: readonly WithUsers[], first: number, end: number): StageScore | null {
    let version = 0;
    for (let i = first; i < end; i++) version += segments[i]?.users.version ?? 0;
    const kept = this.kept.get(stageIndex);
    if (kept?.version === version) return kept.score;
    const score = scoreOf(mergeUserSums(segments.slice(first, end).map(({ users }) => users)));
    this.kept.set(stageIndex, { version, score });
    return score;
  }
}

/** The design effect of one stage's comparison, as `stickyDesignEffect`; 1 where no record told its users. */
export function stickyEffect(users: UserSums): number {
  const segment = users.segment();
  return segment === null ? 1 : stickyDesignEffect([segment]);
}

/**
 * The design effect of the candidate on its own, for the test without a control; stable's while the candidate has fewer
 * than 5 events, since the same users in the same time send as many requests each to the one as to the other. 1 where no
 * record told its users.
 */
export function stickyEffectAlone(alone: UserSums, compared: UserSums): number {
  const candidate = alone.segment()?.candidate;
  if (candidate && eventsOf(candidate) >= MINIMUM_CANDIDATE_EVENTS) return designEffect([candidate]);
  const stable = compared.segment()?.stable;
  return stable ? designEffect([stable]) : 1;
}

function scoreOf(users: UserSums): StageScore | null {
  const segment = users.segment();
  if (segment === null) return null;
  return {
    comparison: comparisonScore(segment),
    stable: variantScore(segment.stable),
    isEarly: eventsOf(segment.candidate) < MINIMUM_CANDIDATE_EVENTS,
  };
}

function eventsOf({ events }: BucketCounts): number {
  let sum = 0;
  for (let bucket = 0; bucket < events.length; bucket++) sum += events[bucket] ?? 0;
  return sum;
}
