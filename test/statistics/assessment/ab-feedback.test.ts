import { describe, expect, it } from 'vitest';
import type { AbReading } from '../../../src/evidence/look.js';
import type { Guardrail } from '../../../src/plan/types.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import { AB, abPlan, ALL, isDifference, limit, margins } from './ab-plan.js';
import { absorbSeconds, feedback, ratedSeconds, stars, thumbs } from './ratings.js';
import type { Opinion } from './ratings.js';

describe('an ab stage on feedback', { timeout: 60_000 }, () => {
  const LIKED = stars([0.02, 0.05, 0.13, 0.31, 0.49]);
  const BETTER = stars([0.01, 0.01, 0.05, 0.2, 0.73]);

  /** Reads once a second, until the stage is decided. */
  function call(
    guardrail: Guardrail,
    seed: number,
    candidate: Opinion,
    stable: Opinion,
    length: number,
  ): AbReading['finding'] {
    const plan = abPlan(guardrail);
    let decided: AbReading['finding'] = 'undecided';
    const rated = ratedSeconds(seed, 0, length, { stage: 'ab', requests: 40, stable, candidate });
    absorbSeconds(createAssessment(plan, {}), rated, (assessment) => {
      if (decided === 'undecided') decided = assessment.finding(AB, ALL) ?? 'undecided';
      return assessment;
    });
    return decided;
  }

  it.each<[string, Guardrail, Opinion, Opinion, AbReading['finding']]>([
    ['better scores', feedback(), BETTER, LIKED, 'candidate-better'],
    ['worse scores', feedback(), LIKED, BETTER, 'stable-better'],
    ['more thumbs down', feedback(), thumbs(0.3), thumbs(0.1), 'stable-better'],
  ])('calls %s', (_, guardrail, candidate, stable, expected) => {
    const found = Array.from({ length: 8 }, (_unused, seed) => call(guardrail, seed, candidate, stable, 120));
    expect(found).toEqual(found.map(() => expected));
  });

  it('says "no difference" of the same thumbs', () => {
    const guardrail = feedback({ promote: margins(2) });
    const found = Array.from({ length: 8 }, (_, seed) => call(guardrail, seed, thumbs(0.15), thumbs(0.15), 120));
    expect(found.filter((one) => one === 'no-difference').length).toBeGreaterThanOrEqual(7);
  });

  it('calls a winner without any difference in at most 5%', () => {
    const runs = 60;
    const found = Array.from({ length: runs }, (_, seed) => call(feedback(), seed, LIKED, LIKED, 40));
    expect(found.filter(isDifference).length).toBeLessThanOrEqual(limit(runs));
  });

  it('gives the same digits on feedback from a snapshot', () => {
    const plan = abPlan(feedback({ promote: margins(2) }));
    const seconds = ratedSeconds(5, 0, 40, { stage: 'ab', requests: 40, stable: thumbs(0.1), candidate: thumbs(0.15) });
    const whole = absorbSeconds(createAssessment(plan, {}), seconds);
    const restored = absorbSeconds(createAssessment(plan, {}), seconds, (assessment) =>
      restoreAssessment(plan, JSON.parse(JSON.stringify(assessment.snapshot()))),
    );
    expect(restored.read(AB, ALL)).toEqual(whole.read(AB, ALL));
    expect(restored.snapshot()).toEqual(whole.snapshot());
    expect(whole.read(AB, ALL).ab?.logE.worse).toBeGreaterThan(0);
  });
});
