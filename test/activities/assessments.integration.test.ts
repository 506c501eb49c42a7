import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Assessments } from '../../activities/assessments.js';
import { recomputeLook } from '../../src/cli/explain/recompute-look.js';
import { intervalEnd } from '../../src/evidence/record.js';
import type { Look } from '../../src/evidence/look.js';
import type { StoredRating } from '../../src/evidence/record.js';
import type { Ledger, RolloutRow } from '../../src/ledger/ledger.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';
import type { AssessmentSnapshot } from '../../src/statistics/assessment/snapshot.js';
import { DATABASES } from '../ledger/databases.js';
import type { TestDatabase } from '../ledger/databases.js';
import { fivePlan } from '../statistics/assessment/plan-fixture.js';
import {
  DOWN,
  feedback,
  ratedSeconds,
  ratingOf,
  responseRate,
  stars,
  thumbs,
} from '../statistics/assessment/ratings.js';
import type { Opinion } from '../statistics/assessment/ratings.js';
import { START } from '../statistics/assessment/records.js';

const ROLLOUT = rolloutId('support@2026-11-24T09:00:00Z');
const STAGE = stageName('canary-50');
const PLAN = fivePlan({
  guardrails: [feedback({ promote: { ratios: { early: 2, middle: 1.5, late: 1.3 }, absolute: 0.02 } }), responseRate()],
});
const ROW: RolloutRow = {
  rollout: ROLLOUT,
  route: PLAN.route,
  plan: PLAN,
  salt: 'salt',
  seeds: {},
  startedAt: START,
};
const SECONDS = 150;
const END = START + 1000 * SECONDS;

const options = { signal: new AbortController().signal };

describe.each(DATABASES)('assessments of a ledger on $kind', ({ create }) => {
  let database: TestDatabase;
  let ledger: Ledger;

  beforeEach(async () => {
    database = await create();
    ledger = await database.open();
    await ledger.openRollout(ROW);
  });

  afterEach(() => database.remove());

  /** Commits evidence second by second, ratings as they come; `after` is told once a second has been committed. */
  async function live(after: (closedThrough: number) => Promise<void>): Promise<void> {
    const scores = [0.05, 0.05, 0.1, 0.3, 0.5];
    const seconds = ratedSeconds(1, 0, SECONDS, {
      requests: 12,
      stable: seldom(0.4, stars(scores)),
      candidate: seldom(0.3, stars(scores)),
      delayMs: 900,
    });
    const mixed = ratedSeconds(2, 0, SECONDS, { requests: 12, stable: thumbs(0.1, 0.4), candidate: thumbs(0.1, 0.2) });
    const ratings = [...seconds, ...mixed].flatMap((second) => second.ratings);
    for (const [second, { records }] of seconds.entries()) {
      const [first] = records;
      if (first === undefined) throw new Error('no records');
      const closedThrough = intervalEnd(first);
      const given = ratings.filter(({ ratedAt }) => Math.floor((ratedAt - START) / 1000) === second);
      // Every other commit holds two seconds of ratings, and the frontier moves on by itself as well.
      await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: closedThrough - 1000 });
      await ledger.commitEvidence({ rollout: ROLLOUT, records: [], ratings: given.map(withoutKnown), closedThrough });
      await after(closedThrough);
    }
  }

  it('are the same to the digit, folded as evidence came or built from the ledger at once', async () => {
    const worker = new Assessments(ledger);
    const looks: AssessmentSnapshot[] = [];
    let last: Look | null = null;
    await live(async (closedThrough) => {
      if ((closedThrough - START) % 31_000 !== 0 && closedThrough < END) return;
      looks.push(await worker.foldTo(ROW, closedThrough, options, (assessment) => assessment.snapshot()));
      last = await worker.foldTo(ROW, closedThrough, options, (assessment) => ({
        ...assessment.read(STAGE, { promoteFromGeneration: 0 }),
        id: 'look',
        rollout: ROLLOUT,
        at: closedThrough,
        why: 'scheduled',
      }));
    });
    expect(looks.length).toBe(5);
    for (const look of looks) {
      const rebuilt = await new Assessments(ledger).readAt(ROW, look.closedThrough, options, (one) => one.snapshot());
      expect(rebuilt).toEqual(look);
    }
    if (last === null) throw new Error('no look');
    const { guardrails }: Look = last;
    // All compared something: nothing would be equal, too.
    expect(guardrails.feedback?.n.stable).toBeGreaterThan(1_000);
    expect(Math.abs(guardrails.feedback?.logE.breach ?? 0)).toBeGreaterThan(0.1);
    expect(Math.abs(guardrails.feedback?.logE.safe ?? 0)).toBeGreaterThan(0.1);
    expect(Math.abs(guardrails.response_rate?.logE.breach ?? 0)).toBeGreaterThan(0.1);
    expect(await recomputeLook(ledger, ROW, last, () => undefined)).toEqual({ equal: true, differences: [] });
  });

  it('count a rating nowhere that comes when its interval has been used, and once one that comes twice', async () => {
    const [first, ...rest] = ratedSeconds(1, 0, 6, { requests: 12, stable: thumbs(0.5), candidate: thumbs(0.5) });
    if (first === undefined) throw new Error('no second');
    const commit = (second: number, records: (typeof first)['records'], ratings: readonly StoredRating[]) =>
      ledger.commitEvidence({
        rollout: ROLLOUT,
        records,
        ratings: ratings.map(withoutKnown),
        closedThrough: START + 1000 * (second + 1),
      });
    const worker = new Assessments(ledger);
    const fold = (second: number) =>
      worker.foldTo(ROW, START + 1000 * (second + 1), options, (assessment) => ({
        n: assessment.read(STAGE, { promoteFromGeneration: 0 }).guardrails.feedback?.n,
        snapshot: assessment.snapshot(),
      }));
    const twice = ratingOf('candidate', 0.5, DOWN, { nonce: 'twice' });
    await commit(0, first.records, [twice]);
    await fold(0);
    for (const [index, { records }] of rest.slice(0, 2).entries()) {
      await commit(index + 1, records, [twice, { ...twice, variant: 'stable' }]);
      await fold(index + 1);
    }
    expect((await fold(2)).n).toEqual({ stable: 0, candidate: 1 });
    // The first second has been used by now; its horizon was kept all the same, by its clock.
    await commit(3, rest[2]?.records ?? [], [ratingOf('stable', 0.6, DOWN, { nonce: 'late', ratedAt: START + 2_500 })]);
    await commit(4, rest[3]?.records ?? [], []);
    const used = await fold(4);
    expect(used.n).toEqual({ stable: 0, candidate: 1 });
    expect(used.snapshot.guardrails.feedback).toMatchObject({ window: { leftOut: { late: 1, afterHorizon: 0 } } });
    const rebuilt = await new Assessments(ledger).readAt(ROW, START + 5_000, options, (one) => one.snapshot());
    expect(rebuilt).toEqual(used.snapshot);
    const kept = await ledger.ratings(ROLLOUT, 0, Number.MAX_SAFE_INTEGER);
    expect(kept.map(({ nonce, knownAfter }) => [nonce, (knownAfter - START) / 1000])).toEqual([
      ['twice', -START / 1000],
      ['late', 3],
    ]);
  });

  it('ask for ratings once a batch of evidence, not once an interval', async () => {
    await live(async () => undefined);
    const asked: (readonly [number, number])[] = [];
    const counting: Pick<Ledger, 'evidence' | 'ratings'> = {
      evidence: (...range) => ledger.evidence(...range),
      ratings: (rollout, after, through) => {
        asked.push([after, through]);
        return ledger.ratings(rollout, after, through);
      },
    };
    await new Assessments(counting).foldTo(ROW, END, options, () => undefined);
    expect(asked.length).toBeLessThanOrEqual(SECONDS / 30);
    // Without a gap and without overlap.
    expect(asked.slice(1).map(([after]) => after)).toEqual(asked.slice(0, -1).map(([, through]) => through));
    expect([asked[0]?.[0], asked.at(-1)?.[1]]).toEqual([0, END]);
  });
});

function seldom(share: number, opinion: Opinion): Opinion {
  return (random) => (random.happens(share) ? opinion(random) : null);
}

function withoutKnown({ knownAfter: _known, ...rating }: StoredRating) {
  return rating;
}
