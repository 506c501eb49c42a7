import type { LadderStep, RateGuardrail } from '../../plan/types.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { EvidenceGrid, OneSidedTest } from '../evidence-grid.js';
import { logit } from '../odds-ratio.js';

/** Stable trials after which its rate is frozen as the baseline of the margins. */
export const BASELINE_TRIALS = 1000;

/** A baseline is never below this: margins around a rate of 0 would be margins of 0. */
const LOWEST_BASELINE = 0.0001;

/** The smallest distance from a limit that a grid resolves, for a margin of nothing. */
const LEAST_EFFECT = 0.02;

/** The promote test of a rate at one step of the ladder. */
export interface PromoteMargin {
  readonly grid: EvidenceGrid;
  /** H0: the odds ratio is at or above the margin in every interval. */
  readonly test: OneSidedTest;
}

export interface PromoteMargins {
  readonly ladder: Readonly<Record<LadderStep, PromoteMargin>>;
  /** q0: baseline + absolute margin; null when that is no rate. For the test without a control. */
  readonly absoluteRate: number | null;
}

/** Points of a promote margin's grid: the limit and its alternatives, whatever the limit. */
export const PROMOTE_POINTS = marginAt(0.7).grid.theta.length;

/** The frozen baseline: stable's own rate so far, at least 0.0001, and below 1 so that it has odds. */
export function frozenBaseline(trials: number, events: number): number {
  return Math.min(Math.max(events / trials, LOWEST_BASELINE), 1 - LOWEST_BASELINE);
}

/**
 * The promote tests of a rate around its frozen baseline p: margins max(ratio·p, p + absolute) by step of the ladder, as
 * odds ratios (`logOddsTo`).
 */
export function promoteMargins(baseline: number, promote: NonNullable<RateGuardrail['promote']>): PromoteMargins {
  const { ratios, absolute } = promote;
  const absoluteRate = baseline + absolute;
  const at = (ratio: number): PromoteMargin => marginAt(logOddsTo(Math.max(ratio * baseline, absoluteRate), baseline));
  return {
    ladder: { early: at(ratios.early), middle: at(ratios.middle), late: at(ratios.late) },
    // Without a margin it would hold the candidate to a number that stable itself misses half of the time.
    absoluteRate: absolute > 0 && absoluteRate < 1 ? absoluteRate : null,
  };
}

/**
 * ln of the odds ratio between a rate that a plan allows and the baseline. Beyond a half, where a ratio of rates would
 * leave the rates, it is at most half of the way to 1. Source: method §1.
 */
export function logOddsTo(allowedRate: number, baseline: number): number {
  return logit(Math.min(allowedRate, (1 + baseline) / 2)) - logit(baseline);
}

function marginAt(limit: number): PromoteMargin {
  const builder = new EvidenceGridBuilder();
  const test = builder.less(limit, marginEffect(limit));
  return { grid: builder.build(), test };
}

/** The effect most worth catching is none at all: a candidate as good as stable lies a whole margin from its limit (§2.2). */
export function marginEffect(limit: number): number {
  return Math.max(limit, LEAST_EFFECT);
}
