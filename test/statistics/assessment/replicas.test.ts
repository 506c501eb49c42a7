import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import type { Variant } from '../../../src/plan/types.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { fivePlan } from './plan-fixture.js';
import { recordOf } from './records.js';

const plan = fivePlan();

interface Request {
  readonly variant: Variant;
  readonly stratum: string;
  readonly bucket: number;
  readonly failed: boolean;
  /** Which router answered it. */
  readonly replica: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  variant: fc.constantFrom<Variant>('stable', 'candidate'),
  stratum: fc.constantFrom('short', 'long'),
  bucket: fc.integer({ min: 690, max: 730 }),
  failed: fc.boolean(),
  replica: fc.nat(3),
});

/** Intervals of requests; enough of them for thresholds and tables, some of them empty. */
const intervals = fc.array(fc.array(request, { maxLength: 60 }), { minLength: 5, maxLength: 20 });

/** The stage moves on in the middle, with a new generation. */
function placeOf(second: number, count: number) {
  const isLater = second > count / 2;
  return { second, stage: isLater ? 'canary-50' : 'canary-25', generation: isLater ? 2 : 1 };
}

/** Records of an interval's requests, one for each stratum, variant and group of replicas. */
function recordsOf(
  requests: readonly Request[],
  place: ReturnType<typeof placeOf>,
  replicas: number,
): EvidenceRecord[] {
  const groups = new Map<string, Request[]>();
  for (const one of requests) {
    const key = `${one.variant} ${one.stratum} ${one.replica % replicas}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups].map(([key, group]) => {
    const [variant, stratum = '', replica = ''] = key.split(' ');
    const latency: Record<number, number> = {};
    for (const { bucket } of group) latency[bucket] = (latency[bucket] ?? 0) + 1;
    const counts = { trials: group.length, errors: group.filter(({ failed }) => failed).length, latency };
    return recordOf(variant === 'candidate' ? 'candidate' : 'stable', place, counts, { stratum, replica });
  });
}

function verdictsOf(assessment: Assessment): unknown {
  return {
    readings: plan.stages.map(({ name }) => assessment.read(name, { promoteFromGeneration: 0 })),
    guardrails: assessment.snapshot().guardrails,
    breaches: assessment.breaches,
  };
}

describe('verdicts', () => {
  it('are the same however requests are spread over replicas', () => {
    fc.assert(
      fc.property(intervals, fc.integer({ min: 2, max: 4 }), (all, replicas) => {
        const one = createAssessment(plan, {});
        const many = createAssessment(plan, {});
        for (const [second, requests] of all.entries()) {
          const place = placeOf(second, all.length);
          one.absorb(recordsOf(requests, place, 1));
          many.absorb(recordsOf(requests, place, replicas));
        }
        expect(verdictsOf(many)).toEqual(verdictsOf(one));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('are the same in whatever order the records of an interval end come, and if some come twice', () => {
    const shuffled = intervals.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.tuple(
          ...all.map((requests, second) => {
            const records = recordsOf(requests, placeOf(second, all.length), 4);
            return fc
              .subarray(records)
              .chain((twice) =>
                fc.shuffledSubarray([...records, ...twice], { minLength: records.length + twice.length }),
              );
          }),
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([all, orders]) => {
        const canonical = createAssessment(plan, {});
        const other = createAssessment(plan, {});
        for (const [second, requests] of all.entries()) {
          canonical.absorb(recordsOf(requests, placeOf(second, all.length), 4));
          other.absorb(orders[second] ?? []);
        }
        expect(verdictsOf(other)).toEqual(verdictsOf(canonical));
      }),
      { numRuns: 40, seed: 2 },
    );
  });

  it('use the higher of two revisions of a record, and refuse two that disagree', () => {
    const place = placeOf(0, 1);
    const old = recordOf('stable', place, { trials: 30 }, { revision: 1 });
    const replaced = recordOf('stable', place, { trials: 40 }, { revision: 2 });
    const assessment = createAssessment(plan, {});
    assessment.absorb([replaced, old]);
    const stage = plan.stages[2];
    if (!stage) throw new Error('no stage');
    expect(assessment.read(stage.name, { promoteFromGeneration: 0 }).requests.stable).toBe(40);
    expect(() => createAssessment(plan, {}).absorb([old, { ...replaced, revision: 1 }])).toThrow(
      /process process-1\): revision 1 came twice with different counts/,
    );
  });
});
