import type { RateGuardrail } from '../../plan/types.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { EvidenceGrid, GridRange, GridTest } from '../evidence-grid.js';
import { logOddsTo } from './promote-margin.js';
import type { RateSource } from './rate-source.js';

/** The test of a rate's limit, with the grid that serves it and the interval that people are shown. */
export interface RateLimit {
  readonly grid: EvidenceGrid;
  readonly test: GridTest;
  readonly display: GridRange;
}

type Limited = Pick<RateGuardrail, 'limit' | 'twoSided' | 'typicalEffect'>;

/**
 * The limit of a rate guardrail as a log odds ratio θ_R: ln(limit) where the limit is one of odds; where it is one of
 * rates, logit(limit·p) − logit(p) around stable's frozen rate p, and null before p is known. Source: method §1, §3.5.
 */
export function rateLimit(guardrail: Limited, of: RateSource['limitOf'], baseline: number | null): RateLimit | null {
  if (of === 'odds') return oddsLimit(guardrail);
  return baseline === null ? null : limitAt(guardrail, logOddsTo(guardrail.limit * baseline, baseline));
}

/** The limit as a ratio of odds: it needs no rate and works at once. */
export function oddsLimit(guardrail: Limited): RateLimit {
  return limitAt(guardrail, Math.log(guardrail.limit));
}

/** Points of its grid, the same wherever the limit lies. */
export function limitPoints(guardrail: Limited): number {
  return oddsLimit(guardrail).grid.theta.length;
}

function limitAt({ twoSided, typicalEffect }: Limited, limit: number): RateLimit {
  const builder = new EvidenceGridBuilder();
  const test = twoSided ? builder.twoSided(limit, typicalEffect) : builder.greater(limit, typicalEffect);
  const display = builder.display();
  return { grid: builder.build(), test, display };
}
