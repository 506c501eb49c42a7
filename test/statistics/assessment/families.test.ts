import { describe, expect, it } from 'vitest';
import { firstUndealt } from '../../../activities/assessments.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Guardrail, GuardrailName } from '../../../src/plan/types.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { Families } from '../../../src/statistics/assessment/families.js';
import type { GuardrailTracker } from '../../../src/statistics/assessment/guardrail-tracker.js';
import { errorRate, fivePlan, latency, planWith, refusalRate, sampleRatio } from './plan-fixture.js';
import { START, intervalOf, recordOf } from './records.js';

const CANARY_50 = stageName('canary-50');

function verdictOf(assessment: Assessment, name: GuardrailName): string | undefined {
  return assessment.read(CANARY_50, { promoteFromGeneration: 0 }).guardrails[name]?.verdict;
}

describe('a crossing', () => {
  const bad = { trials: 100, errors: 8 };
  const good = { trials: 100, errors: 1 };

  it('is found at the interval that brings it, with the guardrail that the closed test names', () => {
    const assessment = createAssessment(fivePlan(), {});
    let second = 0;
    while (assessment.crossings.rollback === null) {
      assessment.absorb(intervalOf({ second: second++ }, good, bad));
      expect(second).toBeLessThan(20);
    }
    const { logE, ...crossing } = assessment.crossings.rollback;
    expect(crossing).toEqual({
      family: 'rollback',
      guardrails: ['error_rate'],
      named: true,
      stage: 'canary-50',
      intervalEnd: START + 1000 * second,
      requests: 100 * second,
    });
    expect(logE).toBeGreaterThanOrEqual(Math.log(20));
    const { error_rate: status } = assessment.read(CANARY_50, { promoteFromGeneration: 0 }).guardrails;
    expect(status?.why).toMatch(
      new RegExp(
        `^breached in canary-50 after ${100 * second} candidate requests, named by the closed test; errors 8%`,
      ),
    );
  });

  it('is final, whatever comes later', () => {
    const assessment = createAssessment(fivePlan(), {});
    for (let second = 0; second < 8; second++) assessment.absorb(intervalOf({ second }, good, bad));
    const first = assessment.crossings.rollback;
    expect(first).not.toBeNull();
    for (let second = 8; second < 400; second++) assessment.absorb(intervalOf({ second }, bad, good));
    const reading = assessment.read(CANARY_50, { promoteFromGeneration: 0 });
    expect(reading.guardrails.error_rate?.logE.breach).toBeLessThan(0);
    expect(reading.guardrails.error_rate?.verdict).toBe('breached');
    expect(reading.promote.open).toBe(false);
    expect(reading.crossings.rollback).toEqual(first);
  });

  it('leaves the other guardrails of the family alone', () => {
    const assessment = createAssessment(fivePlan(), {});
    for (let second = 0; second < 20; second++) assessment.absorb(intervalOf({ second }, good, bad));
    expect(verdictOf(assessment, 'error_rate')).toBe('breached');
    expect(verdictOf(assessment, 'latency_p95')).toBe('undecided');
    expect(assessment.breaches.map(({ guardrails }) => guardrails)).toEqual([['error_rate']]);
  });
});

/** A guardrail whose e-value is told. */
function told(guardrail: Guardrail, eValue: () => number): GuardrailTracker {
  const unused = (): never => {
    throw new Error('not asked for');
  };
  return {
    guardrail,
    logBreach: () => Math.log(eValue()),
    absorb: unused,
    gates: unused,
    read: unused,
    snapshot: unused,
  };
}

describe('who is to blame', () => {
  const moment = { stage: CANARY_50, intervalEnd: START, requests: 100 };
  const third = { weight: 1 / 3 };
  const guardrails = [errorRate(third), latency(0.5, third), latency(0.95, third)];
  const plan = fivePlan({ guardrails });

  it.each<[string, readonly [number, number, number], readonly string[], boolean]>([
    ['one far above its bound', [100, 1, 1], ['error_rate'], true],
    ['two of three', [60, 1, 80], ['error_rate', 'latency_p95'], true],
    // The family crosses, but each of the two falls short beside the third: nobody can be named.
    ['the leading one where the closed test names none', [25, 11, 26], ['latency_p95'], false],
  ])('%s', (_, eValues, blamed, named) => {
    const families = new Families(
      plan,
      guardrails.map((guardrail, index) => told(guardrail, () => eValues[index] ?? 1)),
    );
    families.check(moment);
    expect(families.crossings.rollback).toMatchObject({ guardrails: blamed, named });
  });

  it('does not change when another leads later: only the closed test adds to it', () => {
    const eValues = [25, 11, 26];
    const families = new Families(
      plan,
      guardrails.map((guardrail, index) => told(guardrail, () => eValues[index] ?? 1)),
    );
    families.check(moment);
    eValues.splice(0, 3, 26, 11, 25);
    families.check(moment);
    expect(families.breaches).toHaveLength(1);
    eValues.splice(0, 3, 26, 1000, 25);
    families.check({ ...moment, requests: 200 });
    expect(families.breaches).toMatchObject([
      { guardrails: ['latency_p95'], named: false, requests: 100 },
      { guardrails: ['error_rate', 'latency_p50'], named: true, requests: 200 },
    ]);
    expect(families.breachOf('latency_p50')?.requests).toBe(200);
  });

  it('is asked of current values: a family that crossed between two looks and fell back has not crossed', () => {
    let eValue = 19;
    const families = new Families(planWith(errorRate()), [told(errorRate({ weight: 1 }), () => eValue)]);
    families.check(moment);
    eValue = 1;
    families.check(moment);
    expect(families.crossings.rollback).toBeNull();
    expect(families.standing('rollback')).toEqual({ logE: 0, bound: Math.log(20) });
    expect(families.standing('hold')).toBeNull();
  });
});

describe('the sample ratio', () => {
  const moment = { stage: CANARY_50, intervalEnd: START, requests: 100 };
  const third = { weight: 1 / 3 };
  const guardrails = [
    refusalRate(third),
    refusalRate({ name: 'abort_rate', ...third }),
    refusalRate({ name: 'response_rate', ...third }),
    sampleRatio(),
  ];

  function familiesOf(eValues: readonly [...held: [number, number, number], sampleRatio: number]): {
    readonly eValues: number[];
    readonly families: Families;
  } {
    const current: number[] = [...eValues];
    const trackers = guardrails.map((guardrail, index) => told(guardrail, () => current[index] ?? 1));
    return { eValues: current, families: new Families(fivePlan({ guardrails }), trackers) };
  }

  it('crosses at 1/alpha by itself, whatever the guardrails that hold say', () => {
    const { eValues, families } = familiesOf([0.01, 0.01, 0.01, 999]);
    families.check(moment);
    expect(families.breaches).toEqual([]);
    eValues[3] = 1_000;
    families.check(moment);
    expect(families.breaches).toMatchObject([{ family: 'hold', guardrails: ['sample_ratio'], named: true }]);
    eValues[3] = 1;
    families.check({ ...moment, requests: 200 });
    expect(families.breachOf('sample_ratio')?.requests).toBe(100);
  });

  it('adds nothing to the family of its action', () => {
    const { families } = familiesOf([30, 1, 1, 1e6]);
    families.check(moment);
    expect(families.breachOf('refusal_rate')).toBeNull();
    expect(families.standing('hold')?.logE).toBeCloseTo(Math.log(32 / 3), 12);
    expect(families.standing('hold')?.bound).toBe(Math.log(20));
  });

  it('takes no crossing from the guardrails that hold: a leading one is still told after it', () => {
    const { eValues, families } = familiesOf([1, 1, 1, 1e6]);
    families.check(moment);
    // The family crosses, and neither can be named alone.
    eValues.splice(0, 3, 26, 11, 25);
    families.check({ ...moment, requests: 200 });
    expect(families.breaches).toMatchObject([
      { guardrails: ['sample_ratio'], named: true, requests: 100 },
      { guardrails: ['refusal_rate'], named: false, requests: 200 },
    ]);
    expect(families.crossings.hold?.guardrails).toEqual(['sample_ratio']);
    const later = (known: readonly string[]) => firstUndealt(families, { hold: known, flag: [] })?.guardrails;
    expect(later([])).toEqual(['sample_ratio']);
    expect(later(['sample_ratio'])).toEqual(['refusal_rate']);
    expect(later(['refusal_rate'])).toEqual(['sample_ratio']);
    expect(later(['refusal_rate', 'sample_ratio'])).toBeUndefined();
  });

  it('is told before them when both cross at one interval end', () => {
    const { families } = familiesOf([1e6, 1, 1, 1e6]);
    families.check(moment);
    expect(families.breaches.map(({ guardrails: crossed }) => crossed)).toEqual([['sample_ratio'], ['refusal_rate']]);
  });

  it('needs no weight of the family that holds', () => {
    const alone = fivePlan({ guardrails: [sampleRatio({ weight: 0.001 })] });
    expect(() => createAssessment(alone, {})).not.toThrow();
  });
});

describe('the families', () => {
  it('have their own error rates: what holds does not roll back, what is flagged does neither', () => {
    const assessment = createAssessment(
      fivePlan({
        guardrails: [
          errorRate({ weight: 1 }),
          refusalRate({ weight: 1 }),
          errorRate({ name: 'abort_rate', action: 'flag', weight: 1, promote: null }),
        ],
        falseFlag: 1e-12,
      }),
      {},
    );
    for (let second = 0; second < 4; second++) {
      const counts = { trials: 200, errors: 2 };
      assessment.absorb([
        recordOf('stable', { second }, counts, { aborted: 2, refusal: { trials: 200, events: 10 } }),
        recordOf('candidate', { second }, counts, { aborted: 14, refusal: { trials: 200, events: 40 } }),
      ]);
    }
    const { rollback, hold, flag } = assessment.crossings;
    expect(rollback).toBeNull();
    expect(hold).toMatchObject({ family: 'hold', guardrails: ['refusal_rate'] });
    // The flag family asks for 10^12: not yet.
    expect(flag).toBeNull();
    for (let second = 4; second < 12; second++) {
      assessment.absorb([
        recordOf('stable', { second }, { trials: 200 }, { aborted: 2 }),
        recordOf('candidate', { second }, { trials: 200 }, { aborted: 14 }),
      ]);
    }
    expect(assessment.crossings.flag).toMatchObject({ family: 'flag', guardrails: ['abort_rate'], named: true });
    expect(assessment.crossings.hold).toEqual(hold);
  });

  it('latch a second guardrail of a family when the closed test names it, beside the first crossing', () => {
    const assessment = createAssessment(
      fivePlan({
        guardrails: [
          errorRate({ weight: 1 }),
          refusalRate({ weight: 0.7 }),
          refusalRate({ name: 'abort_rate', weight: 0.3 }),
        ],
      }),
      {},
    );
    const absorb = (second: number, refusals: number, aborts: number): void =>
      assessment.absorb([
        recordOf('stable', { second }, { trials: 200 }, { aborted: 10, refusal: { trials: 200, events: 10 } }),
        recordOf(
          'candidate',
          { second },
          { trials: 200 },
          { aborted: aborts, refusal: { trials: 200, events: refusals } },
        ),
      ]);
    for (let second = 0; second < 10; second++) absorb(second, 40, 10);
    const first = assessment.crossings.hold;
    expect(first?.guardrails).toEqual(['refusal_rate']);
    expect(verdictOf(assessment, 'abort_rate')).toBe('undecided');
    for (let second = 10; second < 30; second++) absorb(second, 10, 40);
    expect(assessment.crossings.hold).toEqual(first);
    expect(verdictOf(assessment, 'abort_rate')).toBe('breached');
    expect(assessment.breaches.map(({ guardrails, named }) => [guardrails, named])).toEqual([
      [['refusal_rate'], true],
      [['abort_rate'], true],
    ]);
  });
});
