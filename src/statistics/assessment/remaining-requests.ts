import { klBernoulli } from '../kullback-leibler.js';
import { requestsToGo } from '../planner.js';
import type { Table } from '../table.js';

/** Less evidence per request than this never decides. */
const LEAST_INFORMATION = 1e-9;

export interface ComparedPromotion {
  /** Requests that speak for promotion so far. */
  readonly totals: Table;
  /** θ_P, log odds ratio. */
  readonly limit: number;
  /** ln E_less now. */
  readonly logELess: number;
  /** Level that this test alone must reach. */
  readonly alpha: number;
  /** Divides the evidence of users who resemble themselves, so it takes so many times the requests. */
  readonly designEffect: number;
}

export interface RatePromotion extends ComparedPromotion {
  readonly candidateAlone: { readonly trials: number; readonly events: number };
  readonly absoluteRate: number | null;
  /** ln E_abs now. */
  readonly logEAbsolute: number;
  /** Of the candidate's requests on their own. */
  readonly designEffectAlone: number;
}

/**
 * Requests of both variants together until the test against the margin is there, at the rates seen so far: 0 when it
 * is, null before both variants have requests and when it never will be. Source: method §9.5.
 */
export function requestsToPromote(promotion: ComparedPromotion): number | null {
  const { totals, limit, logELess, alpha, designEffect } = promotion;
  if (totals.stableTrials === 0 || totals.candidateTrials === 0) return null;
  return requestsToGo(
    {
      side: 'less',
      stableRate: inside(totals.stableEvents, totals.stableTrials),
      candidateRate: inside(totals.candidateEvents, totals.candidateTrials),
      share: shareOf(totals),
      limit,
      typicalEffect: 1,
      alpha,
      designEffect,
    },
    logELess,
  );
}

/** The same for a rate, whose gate also opens on the candidate's own requests: the sooner of the two. */
export function requestsToPromoteRate(promotion: RatePromotion): number | null {
  // The gate is the mean of the two e-values: one alone has to reach twice the bound.
  const alpha = promotion.alpha / 2;
  const compared = requestsToPromote({ ...promotion, alpha });
  const alone = requestsAlone(promotion, alpha);
  if (compared === null || alone === null) return compared ?? alone;
  return Math.min(compared, alone);
}

function requestsAlone(promotion: RatePromotion, alpha: number): number | null {
  const { totals, candidateAlone, absoluteRate, logEAbsolute, designEffectAlone } = promotion;
  if (absoluteRate === null || candidateAlone.trials === 0 || totals.candidateTrials === 0) return null;
  const missing = -Math.log(alpha) - logEAbsolute;
  if (missing <= 0) return 0;
  const rate = candidateAlone.events / candidateAlone.trials;
  const information = rate < absoluteRate ? klBernoulli(rate, absoluteRate) : 0;
  return information < LEAST_INFORMATION ? null : (designEffectAlone * missing) / information / shareOf(totals);
}

function shareOf(totals: Table): number {
  return totals.candidateTrials / (totals.candidateTrials + totals.stableTrials);
}

/** A rate strictly inside 0 … 1, half an event away from its ends: what was never seen yet has odds too. */
function inside(events: number, trials: number): number {
  return (events + 0.5) / (trials + 1);
}
