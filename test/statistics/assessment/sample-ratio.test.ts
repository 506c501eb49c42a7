import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Variant } from '../../../src/plan/types.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { BROKEN_SPLIT_LOG_E } from '../../../src/statistics/assessment/sample-ratio-tracker.js';
import { fivePlan, sampleRatio } from './plan-fixture.js';
import { Random } from './random.js';
import { recordOf } from './records.js';

const PLAN = fivePlan({ guardrails: [sampleRatio()] });

/** Ascending with the number. */
function hashOf(unit: number): string {
  return unit.toString(16).padStart(16, '0');
}

interface Seen {
  readonly stage?: string;
  readonly generation?: number;
  readonly second: number;
  /** Hashes of units by variant; `alone` are requests without one. */
  readonly stable?: readonly number[];
  readonly candidate?: readonly number[];
  readonly alone?: readonly [stable: number, candidate: number];
}

/** The two records of a process's interval. */
function assigned(
  { stage = 'canary-5', generation = 1, second, stable = [], candidate = [], alone = [0, 0] }: Seen,
  overrides: Partial<EvidenceRecord> = {},
): readonly EvidenceRecord[] {
  const record = (variant: Variant, units: readonly number[], without: number): EvidenceRecord =>
    recordOf(
      variant,
      { stage, generation, second },
      { trials: units.length + without },
      { assigned: { units: units.map(hashOf), alone: without }, ...overrides },
    );
  return [record('stable', stable, alone[0]), record('candidate', candidate, alone[1])];
}

function statusOf(assessment: Assessment, stage = 'canary-5') {
  const { sample_ratio: status } = assessment.read(stageName(stage), { promoteFromGeneration: 0 }).guardrails;
  if (status === undefined) throw new Error('the plan has a sample ratio');
  return status;
}

function logEOf(...intervals: readonly (readonly EvidenceRecord[])[]): number {
  const assessment = createAssessment(PLAN, {});
  for (const records of intervals) assessment.absorb(records);
  return statusOf(assessment).logE.breach ?? Number.NaN;
}

/** Units in order of their number, each the candidate's with the probability `share`, `perSecond` new ones a second. */
function ramp(random: Random, share: number, seconds: number, perSecond: number): readonly Seen[] {
  return Array.from({ length: seconds }, (_, second) => {
    const units: { stable: number[]; candidate: number[] } = { stable: [], candidate: [] };
    for (let at = 0; at < perSecond; at++) {
      units[random.happens(share) ? 'candidate' : 'stable'].push(second * perSecond + at);
    }
    return { second, ...units };
  });
}

/** Candidate and stable, as bits. */
const outcomesOf = (units: number): readonly (readonly boolean[])[] =>
  Array.from({ length: 2 ** units }, (_, bits) => Array.from({ length: units }, (__, at) => ((bits >> at) & 1) === 1));

const probabilityOf = (outcome: readonly boolean[], share: number): number =>
  outcome.reduce((product, isCandidate) => product * (isCandidate ? share : 1 - share), 1);

const splitUp = (units: readonly number[], isCandidate: (unit: number) => boolean) => ({
  stable: units.filter((unit) => !isCandidate(unit)),
  candidate: units.filter((unit) => isCandidate(unit)),
});

describe('the e-value of the sample ratio', () => {
  it('has the expectation 1 under the split, for units and for requests that have none', () => {
    let expected = 0;
    for (const outcome of outcomesOf(7)) {
      const units = splitUp([0, 1, 2, 3], (unit) => outcome[unit] === true);
      const ofRest = outcome.slice(4).filter(Boolean).length;
      const logE = logEOf(assigned({ second: 0, ...units }), assigned({ second: 1, alone: [3 - ofRest, ofRest] }));
      expected += probabilityOf(outcome, 0.05) * Math.exp(logE);
    }
    expect(expected).toBeCloseTo(1, 12);
  });

  it('has at most that over generations, whether units are kept over the ramp or drawn afresh', () => {
    const units = [0, 1, 2, 3];
    const eOf = (first: (unit: number) => boolean, second: (unit: number) => boolean): number =>
      Math.exp(
        logEOf(
          assigned({ second: 0, ...splitUp(units, first) }),
          assigned({ stage: 'canary-25', generation: 2, second: 1, ...splitUp(units, second) }),
          assigned({ stage: 'canary-25', generation: 3, second: 2, ...splitUp(units, second) }),
        ),
      );
    let kept = 0;
    let afresh = 0;
    for (const first of outcomesOf(units.length)) {
      for (const second of outcomesOf(units.length)) {
        const e = eOf(
          (unit) => first[unit] === true,
          (unit) => second[unit] === true,
        );
        afresh += probabilityOf(first, 0.05) * probabilityOf(second, 0.25) * e;
        // Kept units are on a point of their own: the candidate's at 5% are so at 25%, of the others 20 in 95 come over.
        const moves = second.map((isCandidate, at) => {
          if (first[at] === true) return isCandidate ? 0.05 : 0;
          return isCandidate ? 0.2 : 0.75;
        });
        kept += moves.reduce((product, probability) => product * probability, 1) * e;
      }
    }
    expect(kept).toBeLessThanOrEqual(1 + 1e-12);
    expect(afresh).toBeLessThanOrEqual(1 + 1e-12);
    expect(kept).toBeGreaterThan(0.9);
  });

  it('does not grow when a split is written again: the same units are the same draw', () => {
    const lucky = { candidate: [1, 2, 3, 4, 5, 6], stable: [7] };
    const once = logEOf(assigned({ second: 0, ...lucky }));
    expect(once).toBeGreaterThan(0);
    const again = [2, 3, 4].map((generation) => assigned({ generation, second: generation, ...lucky }));
    expect(logEOf(assigned({ second: 0, ...lucky }), ...again)).toBeCloseTo(once, 12);
  });

  it('stays below 1,000 under the split however often it is looked at', () => {
    const assessments = Array.from({ length: 100 }, (_, seed) => {
      const assessment = createAssessment(PLAN, {});
      for (const seen of ramp(new Random(seed), 0.05, 100, 60)) assessment.absorb(assigned(seen));
      return assessment.crossings.hold;
    });
    // At most 1 in 1,000 crosses: none of these hundred does.
    expect(assessments.filter((crossing) => crossing !== null)).toEqual([]);
  });

  it('sees 10% where 5% was meant after some 820 assignments', () => {
    const counts = Array.from({ length: 40 }, (_, seed) => {
      const assessment = createAssessment(PLAN, {});
      let assignments = 0;
      for (const seen of ramp(new Random(seed), 0.1, 400, 20)) {
        assessment.absorb(assigned(seen));
        assignments += 20;
        if (assessment.crossings.hold !== null) return assignments;
      }
      return Infinity;
    });
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    expect(mean).toBeGreaterThan(650);
    expect(mean).toBeLessThan(1_000);
  });

  it('sees a share that stays where it was although the ramp goes on, with no new unit', () => {
    const units = Array.from({ length: 2_000 }, (_, unit) => unit);
    const five = splitUp(units, (unit) => unit % 20 === 0);
    const before = [assigned({ second: 0, ...five })];
    const kept = splitUp(units, (unit) => unit % 4 === 0);
    const place = { stage: 'canary-25', generation: 2, second: 1 };
    expect(logEOf(...before, assigned({ ...place, ...kept }))).toBeLessThan(0);
    expect(logEOf(...before, assigned({ ...place, ...five }))).toBeGreaterThan(Math.log(1_000));
  });
});

describe('which units count', () => {
  it('does not depend on replicas, on their order or on duplicates', () => {
    const interval = fc.array(
      fc.record({ unit: fc.nat({ max: 60 }), candidate: fc.boolean(), replicas: fc.subarray(['r1', 'r2', 'r3']) }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 4 }), fc.nat(), (intervals, seed) => {
        const whole = createAssessment(PLAN, {});
        const parts = createAssessment(PLAN, {});
        for (const [second, drawn] of intervals.entries()) {
          const variants = new Map(drawn.map(({ unit, candidate }) => [unit, candidate]));
          const isCandidate = (unit: number): boolean => variants.get(unit) === true;
          whole.absorb(assigned({ second, ...splitUp([...variants.keys()], isCandidate) }));
          const records = ['r1', 'r2', 'r3'].flatMap((replica, index) => {
            const units = new Set(
              drawn.filter(({ replicas }) => index === 0 || replicas.includes(replica)).map(({ unit }) => unit),
            );
            return assigned({ second, ...splitUp([...units], isCandidate) }, { replica });
          });
          const random = new Random(seed);
          parts.absorb([...records, ...records].toSorted(() => random.uniform() - 0.5));
        }
        expect(statusOf(parts).logE).toEqual(statusOf(whole).logE);
        expect(statusOf(parts).n).toEqual(statusOf(whole).n);
      }),
      { numRuns: 60 },
    );
  });

  it('is the 4,096 smallest hashes, and what entered before it was pushed out', () => {
    const large = Array.from({ length: 5_000 }, (_, at) => 100_000 + at);
    const small = Array.from({ length: 4_096 }, (_, at) => at);
    const assessment = createAssessment(PLAN, {});
    assessment.absorb(assigned({ second: 0, stable: large }));
    expect(statusOf(assessment).n).toEqual({ stable: 4_096, candidate: 0 });
    assessment.absorb(assigned({ second: 1, candidate: small }));
    expect(statusOf(assessment).n).toEqual({ stable: 4_096, candidate: 4_096 });
    // They were pushed out for good, and seen again they are nobody new.
    assessment.absorb(assigned({ second: 2, stable: large }));
    expect(statusOf(assessment).n).toEqual({ stable: 4_096, candidate: 4_096 });
  });

  it('leaves out an incomplete interval on both variants, and what is mirrored', () => {
    const assessment = createAssessment(PLAN, {});
    const [stable, candidate] = assigned({ second: 0, stable: [1, 2, 3], candidate: [4] });
    if (stable === undefined || candidate === undefined) throw new Error('two records');
    assessment.absorb([stable, { ...candidate, incomplete: true }]);
    assessment.absorb(assigned({ second: 1, stable: [5], candidate: [6] }, { stratum: 'paired' }));
    expect(statusOf(assessment).n).toEqual({ stable: 0, candidate: 0 });
    expect(statusOf(assessment).why).toBe('no assignments yet for a split of 5%; e-value 1 of 1,000');
  });

  it('counts a generation until the next one is seen: a router that is behind says nothing new', () => {
    const next = assigned({ stage: 'canary-25', generation: 2, second: 0, stable: [1], candidate: [2] });
    const late = assigned({ second: 1, stable: [3, 4, 5] });
    const assessment = createAssessment(PLAN, {});
    assessment.absorb(next);
    assessment.absorb(late);
    expect(statusOf(assessment).n).toEqual({ stable: 0, candidate: 0 });
    expect(statusOf(assessment, 'canary-25').n).toEqual({ stable: 1, candidate: 1 });
  });
});

describe('a split that is broken outright', () => {
  it('is one request of a candidate whose share is 0', () => {
    const assessment = createAssessment(PLAN, {});
    assessment.absorb(assigned({ stage: 'shadow', second: 0, alone: [40, 0] }));
    expect(statusOf(assessment, 'shadow').why).toBe(
      'nobody served by the candidate for a split of 0%; e-value 1 of 1,000',
    );
    expect(assessment.crossings.hold).toBeNull();
    assessment.absorb([recordOf('candidate', { stage: 'shadow', second: 1 }, { trials: 40 }, { stratum: 'paired' })]);
    expect(assessment.crossings.hold).toBeNull();
    assessment.absorb([recordOf('candidate', { stage: 'shadow', second: 2 }, { trials: 3 })]);
    expect(assessment.crossings.hold).toMatchObject({ guardrails: ['sample_ratio'], logE: BROKEN_SPLIT_LOG_E });
    expect(statusOf(assessment, 'shadow')).toMatchObject({
      verdict: 'breached',
      why:
        'breached in shadow after 43 candidate requests; ' +
        '3 requests served by the candidate for a split of 0%; e-value > 10^300 of 1,000',
      logE: { breach: BROKEN_SPLIT_LOG_E, safe: null },
    });
    expect(JSON.parse(JSON.stringify(assessment.snapshot()))).toEqual(assessment.snapshot());
  });

  it('is a unit on both variants, on whichever routers', () => {
    const assessment = createAssessment(PLAN, {});
    assessment.absorb(assigned({ second: 0, stable: [1, 2, 3] }, { replica: 'r1' }));
    assessment.absorb(assigned({ second: 1, candidate: [2] }, { replica: 'r2' }));
    expect(assessment.crossings.hold).toMatchObject({ guardrails: ['sample_ratio'], logE: BROKEN_SPLIT_LOG_E });
    expect(statusOf(assessment).why).toContain('3 units, 1 unit seen on both variants; e-value > 10^300 of 1,000');
  });

  it('is no unit that the ramp moved, nor one that another gateway drew afresh', () => {
    expect(
      logEOf(
        assigned({ second: 0, stable: [1, 2], candidate: [3] }),
        assigned({ stage: 'canary-25', generation: 2, second: 1, stable: [2, 3], candidate: [1] }),
      ),
    ).toBeLessThan(Math.log(1_000));
  });

  it('cannot be seen without a control', () => {
    const assessment = createAssessment(PLAN, {});
    assessment.absorb(assigned({ stage: 'flip', second: 0, stable: [1], candidate: [2] }));
    expect(statusOf(assessment, 'flip')).toMatchObject({
      why: 'no-control: stable serves nobody in this stage; e-value 1 of 1,000',
      logE: { breach: 0, safe: null },
      n: { stable: 0, candidate: 0 },
    });
  });
});

describe('the sample ratio', () => {
  it('says what it saw, and never gates', () => {
    const assessment = createAssessment(PLAN, {});
    const units = splitUp(
      Array.from({ length: 1_000 }, (_, unit) => unit),
      (unit) => unit < 59,
    );
    assessment.absorb(assigned({ second: 0, ...units, alone: [941, 59] }));
    const reading = assessment.read(stageName('canary-5'), { promoteFromGeneration: 0 });
    expect(reading.guardrails.sample_ratio).toMatchObject({
      verdict: 'undecided',
      stable: 0.941,
      candidate: 0.059,
      n: { stable: 1_882, candidate: 118 },
      interval: [null, null],
      needs: null,
    });
    expect(reading.guardrails.sample_ratio?.why).toMatch(
      /^assignments 5\.9% to the candidate for a split of 5%: 1,000 units and 1,000 requests without a unit; e-value [\d.]+ of 1,000$/,
    );
    expect(reading.promote.waiting).toEqual([
      { guardrail: 'min_requests', why: 'no guardrail of the plan gates this stage' },
    ]);
  });

  it('goes on from a snapshot to the same digits', () => {
    const seconds = ramp(new Random(3), 0.07, 20, 400).map((seen) => assigned(seen));
    const straight = createAssessment(PLAN, {});
    let broken = createAssessment(PLAN, {});
    for (const records of seconds) {
      straight.absorb(records);
      broken.absorb(records);
      broken = restoreAssessment(PLAN, JSON.parse(JSON.stringify(broken.snapshot())));
    }
    expect(broken.snapshot()).toEqual(straight.snapshot());
    expect(statusOf(broken)).toEqual(statusOf(straight));
  });
});
