import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Crossing, GuardrailStatus } from '../../../src/evidence/look.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Plan } from '../../../src/plan/types.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { planWith } from './plan-fixture.js';
import { absorbSeconds, feedback, ratedSeconds, ratingOf, stars, thumbs, UP } from './ratings.js';
import type { RatedTraffic } from './ratings.js';
import { intervalOf } from './records.js';

const plan = planWith(feedback());
const PROMOTING = planWith(feedback({ promote: { ratios: { early: 2, middle: 1.5, late: 1.3 }, absolute: 0.02 } }));
/** Mean 4.2; a worse model gives these users one star in 4 % more of the cases. */
const LIKED = [0.02, 0.05, 0.13, 0.31, 0.49];
const ONE_STAR_MORE = LIKED.map((share, index) => 0.96 * share + (index === 0 ? 0.04 : 0));

function run(traffic: RatedTraffic, seconds: number, seed: number, of: Plan = plan): Assessment {
  const assessment = createAssessment(of, {});
  absorbSeconds(assessment, ratedSeconds(seed, 0, seconds, traffic));
  return assessment;
}

function statusOf(assessment: Assessment, stage = 'canary-50'): GuardrailStatus {
  const status = assessment.read(stageName(stage), { promoteFromGeneration: 0 }).guardrails.feedback;
  if (!status) throw new Error('no feedback');
  return status;
}

function crossings(traffic: RatedTraffic, seconds: number, seeds: number): readonly (Crossing | null)[] {
  return Array.from({ length: seeds }, (_, seed) => run(traffic, seconds, seed).crossings.rollback);
}

function stateOf(assessment: Assessment) {
  const state = assessment.snapshot().guardrails.feedback;
  if (state?.kind !== 'feedback') throw new Error('no state of feedback');
  return state;
}

describe('feedback', { timeout: 60_000 }, () => {
  it('is no breach while one in ten is bad on both sides', () => {
    const all = crossings({ requests: 20, stable: thumbs(0.1), candidate: thumbs(0.1) }, 60, 20);
    expect(all.filter((crossing) => crossing !== null)).toEqual([]);
  });

  it('is a breach when three in ten are bad instead of one', () => {
    const all = crossings({ requests: 20, stable: thumbs(0.1), candidate: thumbs(0.3) }, 30, 20);
    for (const crossing of all) expect(crossing).toMatchObject({ stage: 'canary-50', guardrails: ['feedback'] });
  });

  it('is a breach when one in 25 users goes to one star, which hardly moves the mean', () => {
    const worse = { requests: 40, stable: stars(LIKED), candidate: stars(ONE_STAR_MORE) };
    const all = crossings(worse, 60, 10);
    for (const crossing of all) expect(crossing).toMatchObject({ guardrails: ['feedback'] });
    expect(crossings({ ...worse, candidate: stars(LIKED) }, 60, 10).every((crossing) => crossing === null)).toBe(true);
  });

  it('says how many are bad, a thumb down or a score of at most 2', () => {
    const bad = run({ requests: 50, stable: thumbs(0), candidate: stars([0.5, 0.5, 0, 0, 0]) }, 4, 1);
    expect(statusOf(bad)).toMatchObject({ stable: 0, candidate: 1, n: { stable: 100, candidate: 100 } });
    expect(statusOf(bad).why).toMatch(/^bad ratings 100% against 0% \(odds ratio unknown yet\)/);
    // Thumbs and scores come from different people: nothing was compared.
    expect(bad.crossings.rollback).toBeNull();
    expect(statusOf(bad).logE.breach).toBeCloseTo(0, 12);
  });

  it('has the same evidence at every cut with thumbs alone', () => {
    const { cuts } = stateOf(run({ requests: 20, stable: thumbs(0.1), candidate: thumbs(0.2) }, 20, 1));
    expect(cuts).toHaveLength(4);
    for (const cut of cuts) expect(cut).toEqual(cuts[0]);
  });

  it('counts when the horizon of the stage is over, and nothing that came after it', () => {
    const traffic = { requests: 20, stable: thumbs(0.1), candidate: thumbs(0.9) };
    expect(statusOf(run(traffic, 2, 1)).n).toEqual({ stable: 0, candidate: 0 });
    expect(statusOf(run(traffic, 3, 1)).n).toEqual({ stable: 20, candidate: 20 });
    expect(statusOf(run({ ...traffic, delayMs: 2_000 }, 10, 1)).n).toEqual({ stable: 160, candidate: 160 });
    const late = statusOf(run({ ...traffic, delayMs: 2_001 }, 10, 1));
    expect(late.n).toEqual({ stable: 0, candidate: 0 });
    expect(late.logE.breach).toBeCloseTo(0, 12);
    expect(late.why).toMatch(/left out: 320 after the horizon/);
  });

  it('speaks of the stage that earned it, whatever stage runs by then', () => {
    const seconds = [
      ...ratedSeconds(1, 0, 60, { stage: 'canary-25', requests: 40, stable: thumbs(0.1), candidate: thumbs(0.1) }),
      ...ratedSeconds(2, 60, 63, {
        stage: 'canary-50',
        generation: 2,
        requests: 40,
        stable: thumbs(0.1),
        candidate: thumbs(1),
        delayMs: 1_500,
      }),
    ];
    const first = absorbSeconds(createAssessment(PROMOTING, {}), seconds.slice(0, 61));
    const last = absorbSeconds(createAssessment(PROMOTING, {}), seconds);
    expect([statusOf(first, 'canary-25').n.candidate, statusOf(first, 'canary-50').n.candidate]).toEqual([2_360, 0]);
    expect([statusOf(last, 'canary-25').n.candidate, statusOf(last, 'canary-50').n.candidate]).toEqual([2_400, 40]);
    // Against promotion only in the stage of the requests; against the rollout in any case.
    expect(statusOf(last, 'canary-25').logE.safe).toBeGreaterThan(statusOf(first, 'canary-25').logE.safe ?? Infinity);
    expect(statusOf(last, 'canary-50').logE.safe).toBeLessThan(0);
    expect(last.crossings.rollback).toMatchObject({ guardrails: ['feedback'] });
  });

  it('says where nobody can be compared, and compares nothing there', () => {
    const traffic = { requests: 20, stable: thumbs(0.1), candidate: thumbs(0.9) };
    const flip = run({ ...traffic, stage: 'flip' }, 30, 1, PROMOTING);
    expect(statusOf(flip, 'flip')).toMatchObject({ logE: { safe: null }, n: { candidate: 560 } });
    expect(flip.crossings.rollback).toBeNull();
    expect(statusOf(flip, 'flip').logE.breach).toBeCloseTo(0, 12);
    expect(statusOf(flip, 'flip').why).toMatch(/no-control, stable serves nobody in this stage/);
    const shadow = run({ ...traffic, stage: 'shadow', candidate: () => null }, 30, 1, PROMOTING);
    expect(statusOf(shadow, 'shadow').why).toMatch(/nobody rates a mirrored one/);
    expect(shadow.read(stageName('shadow'), { promoteFromGeneration: 0 }).promote.waiting).not.toContainEqual(
      expect.objectContaining({ guardrail: 'feedback' }),
    );
  });

  it('discounts the ratings of a few users who resemble themselves', () => {
    const traffic = { requests: 40, stable: thumbs(0.1), candidate: thumbs(0.1) };
    const seconds = ratedSeconds(3, 0, 40, traffic);
    const clustered = seconds.map(({ records, ratings }) => ({
      records,
      ratings: ratings.map((rating) =>
        rating.variant === 'candidate' && rating.userBucket !== null && rating.userBucket < 14
          ? { ...rating, rating: { kind: 'thumb', up: false } as const }
          : rating,
      ),
    }));
    // As many bad ratings, of no users in particular.
    let bucket = 0;
    const spread = clustered.map(({ records, ratings }) => ({
      records,
      ratings: ratings.map((rating) => ({ ...rating, userBucket: bucket++ % 64 })),
    }));
    const [few, many] = [clustered, spread].map((all) => {
      const assessment = createAssessment(plan, {});
      absorbSeconds(assessment, all);
      return statusOf(assessment);
    });
    expect(few?.candidate).toBe(many?.candidate);
    expect(few?.logE.breach ?? Infinity).toBeLessThan((many?.logE.breach ?? 0) / 3);
  });
});

describe('promotion on feedback', () => {
  it('waits for 1,000 ratings of stable, then opens for a candidate as good as stable', () => {
    const traffic = { requests: 50, stable: thumbs(0.1), candidate: thumbs(0.1) };
    const early = run(traffic, 20, 1, PROMOTING);
    expect(statusOf(early)).toMatchObject({ verdict: 'undecided', logE: { safe: 0 } });
    expect(statusOf(early).why).toMatch(/promotion waits for 1,000 ratings of stable to fix its margin \(900 so far\)/);
    const late = run(traffic, 120, 1, PROMOTING);
    expect(statusOf(late).verdict).toBe('safe');
    expect(late.read(stageName('canary-50'), { promoteFromGeneration: 0 }).promote.open).toBe(true);
  });

  it('is no gate unless the plan says so', () => {
    const status = statusOf(run({ requests: 50, stable: thumbs(0.1), candidate: thumbs(0.1) }, 120, 1));
    expect(status).toMatchObject({ verdict: 'undecided', logE: { safe: null }, needs: null });
  });

  it('stays shut for a candidate that is beyond its margin at one cut alone', () => {
    // One star four times as often, and within its margin at every other cut.
    const worse = [0.08, 0.01, 0.11, 0.31, 0.49];
    const oneStar = run({ requests: 50, stable: stars(LIKED), candidate: stars(worse) }, 150, 4, PROMOTING);
    expect(statusOf(oneStar).verdict).not.toBe('safe');
    expect(statusOf(oneStar).logE.safe ?? 0).toBeLessThan(0);
    const same = run({ requests: 50, stable: stars(LIKED), candidate: stars(LIKED) }, 150, 4, PROMOTING);
    expect(statusOf(same).verdict).toBe('safe');
  });
});

describe('verdicts on feedback', () => {
  it('are the same over any number of replicas, in any order, and from any snapshot', () => {
    const seconds = ratedSeconds(9, 0, 12, { requests: 8, stable: stars(LIKED), candidate: thumbs(0.4) });
    const mixed = seconds.map(({ records, ratings }, second) => ({
      records,
      ratings: [...ratings, ratingOf('stable', second, UP, { nonce: `more ${second}`, userBucket: null })],
    }));
    const canonical = createAssessment(plan, {});
    absorbSeconds(canonical, mixed);
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), fc.nat(11), (orders, cut) => {
        let number = 0;
        const shuffled = mixed.map(({ records, ratings }) => ({
          records: records
            .flatMap((record) => {
              const { trials } = record.error;
              const first = (orders[number++ % 200] ?? 0) % (trials + 1);
              return [first, trials - first].map((part, replica) => ({
                ...record,
                replica: `replica-${replica}`,
                started: part,
                completed: part,
                error: { trials: part, events: 0 },
                histograms: {},
                buckets: {},
              }));
            })
            .toReversed(),
          ratings: ratings
            .map((rating) => ({ rating, order: orders[number++ % 200] ?? 0 }))
            .toSorted((left, right) => left.order - right.order)
            .map(({ rating }) => rating),
        }));
        const assessment = absorbSeconds(createAssessment(plan, {}), shuffled, (one, second) =>
          second === cut ? restoreAssessment(plan, JSON.parse(JSON.stringify(one.snapshot()))) : one,
        );
        expect(statusOf(assessment)).toEqual(statusOf(canonical));
        expect(stateOf(assessment).cuts).toEqual(stateOf(canonical).cuts);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it('refuse a score that is none, naming the rating, before anything is used', () => {
    const assessment = createAssessment(plan, {});
    const records = intervalOf({ second: 0 }, { trials: 1 }, { trials: 1 });
    const wrong = ratingOf('stable', 0, { kind: 'score', score: 6 }, { nonce: 'n-6' });
    expect(() => assessment.absorb(records, [wrong])).toThrow(/rating n-6 .*: its score is 6, not one of 1 to 5/);
    expect(assessment.closedThrough).toBe(0);
  });
});
