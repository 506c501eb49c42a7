import { describe, expect, test } from 'vitest';
import { evidenceRecordSchema } from '../../src/backends/evidence-schemas.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { stageName } from '../../src/plan/ids.js';
import { loadHash, sampleHash } from '../../src/router/choice.js';
import { AssignedUnits } from '../../src/router/meter/assigned-units.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import { fivePlan, sampleRatio } from '../statistics/assessment/plan-fixture.js';
import { FakeClock } from './helpers/fake-clock.js';
import {
  canarySplit,
  chat,
  putSplit,
  readEvidence,
  recordsOf,
  ROUTE,
  shadowSplit,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

const HALF = canarySplit({ stage: stageName('canary-50'), weights: { stable: 0.5, candidate: 0.5 } });

const usersOf = (count: number, first = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `u-${first + index}`);

async function ask({ router }: RouterFixture, users: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const answers = await Promise.all(users.map((user) => chat(router, { headers: { 'x-user-id': user } })));
  return new Map(users.map((user, index) => [user, String(answers[index]?.headers['x-sluice-variant'])]));
}

async function started(split = HALF, replica = 'replica-1', clock = new FakeClock()): Promise<RouterFixture> {
  const [old, fresh] = await Promise.all([startUpstream('old'), startUpstream('new')]);
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url }, replica, clock });
  await putSplit(fixture.router, split);
  return fixture;
}

const assignedOf = (records: readonly EvidenceRecord[]) =>
  records.map(({ variant, intervalStart, assigned }) => [intervalStart, variant, assigned?.units ?? []] as const);

describe('assigned units', () => {
  test('are reported once, on the variant that served them, by a hash that only the salt explains', async () => {
    const fixture = await started();
    const hash = await loadHash();
    const served = await ask(fixture, usersOf(20));
    await ask(fixture, usersOf(20));
    fixture.clock.advance(1_000);
    await ask(fixture, usersOf(25));
    fixture.clock.advance(1_000);
    const { records } = await readEvidence(fixture.router);
    for (const record of records) expect(evidenceRecordSchema.parse(record)).toEqual(record);
    const later = await ask(fixture, usersOf(5, 20));
    const hashesOf = (variants: ReadonlyMap<string, string>, variant: string): readonly string[] =>
      [...variants]
        .filter(([, by]) => by === variant)
        .map(([user]) => sampleHash(hash, HALF.salt, user).toString(16).padStart(16, '0'))
        .toSorted();
    const [first] = records;
    expect(assignedOf(records)).toEqual([
      [first?.intervalStart, 'stable', hashesOf(served, 'stable')],
      [first?.intervalStart, 'candidate', hashesOf(served, 'candidate')],
      [(first?.intervalStart ?? 0) + 1_000, 'stable', hashesOf(later, 'stable')],
      [(first?.intervalStart ?? 0) + 1_000, 'candidate', hashesOf(later, 'candidate')],
    ]);
  });

  test('are reported anew in each generation', async () => {
    const fixture = await started();
    await ask(fixture, usersOf(6));
    await putSplit(fixture.router, { ...HALF, generation: 2 });
    await ask(fixture, usersOf(6));
    fixture.clock.advance(1_000);
    const { records } = await readEvidence(fixture.router);
    const units = (generation: number) =>
      records.filter((record) => record.generation === generation).flatMap(({ assigned }) => assigned?.units ?? []);
    expect(units(1)).toHaveLength(6);
    expect(units(2).toSorted()).toEqual(units(1).toSorted());
  });

  test('are counted where there is none: each request by itself', async () => {
    const fixture = await started();
    const answers = await Promise.all(Array.from({ length: 30 }, () => chat(fixture.router)));
    fixture.clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    for (const variant of ['stable', 'candidate'] as const) {
      const alone = answers.filter(({ headers }) => headers['x-sluice-variant'] === variant).length;
      expect(recordsOf(page, 'served', variant).map(({ assigned }) => assigned)).toEqual([{ units: [], alone }]);
    }
  });

  test('are nobody who follows a server-side id, and no mirrored copy', async () => {
    const fixture = await started(shadowSplit({ mirror: { variant: 'candidate', share: 0.5 } }));
    const variants = await ask(fixture, usersOf(20));
    expect([...variants.values()]).toEqual(Array.from({ length: 20 }, () => 'stable'));
    await chat(fixture.router, {
      path: '/v1/responses',
      headers: { 'x-user-id': 'follows' },
      body: { model: ROUTE, previous_response_id: 'resp_1', input: 'and then?' },
    });
    for (;;) {
      const { open } = await readEvidence(fixture.router);
      if (open.mirror.answered === open.mirror.chosen) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    fixture.clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    const served = recordsOf(page, 'served', 'stable');
    expect(served[0]?.assigned?.units.length).toBe(served[0]?.started);
    expect(page.records.filter(({ stratum }) => stratum === 'paired')).toHaveLength(2);
    expect(page.records.filter(({ assigned }) => assigned !== undefined)).toHaveLength(1);
  });

  test('of several routers are one set: what the assessment says is what one router would have seen', async () => {
    const clock = new FakeClock();
    const fleet = await Promise.all([started(HALF, 'r1', clock), started(HALF, 'r2', clock)]);
    const [one, two] = fleet;
    await ask(one, usersOf(30));
    await ask(two, usersOf(30, 15));
    clock.advance(1_000);
    const pages = await Promise.all(fleet.map(({ router }) => readEvidence(router)));
    const assessment = createAssessment(fivePlan({ guardrails: [sampleRatio()] }), {});
    assessment.absorb(pages.flatMap(({ records }) => records));
    const variants = [...(await ask(one, usersOf(45))).values()];
    const { sample_ratio: status } = assessment.read(HALF.stage ?? stageName('none'), {
      promoteFromGeneration: 0,
    }).guardrails;
    expect(status?.n).toEqual({
      stable: variants.filter((variant) => variant === 'stable').length,
      candidate: variants.filter((variant) => variant === 'candidate').length,
    });
    expect(status?.why).toContain('for a split of 50%: 45 units; e-value');
  });

  test('show a router that carries another split than the rest: its units are on both sides', async () => {
    const clock = new FakeClock();
    const fleet = await Promise.all([
      started(HALF, 'r1', clock),
      started({ ...HALF, weights: { stable: 0.05, candidate: 0.95 } }, 'r2', clock),
    ]);
    for (const fixture of fleet) await ask(fixture, usersOf(10));
    clock.advance(1_000);
    const pages = await Promise.all(fleet.map(({ router }) => readEvidence(router)));
    const assessment = createAssessment(fivePlan({ guardrails: [sampleRatio()] }), {});
    assessment.absorb(pages.flatMap(({ records }) => records));
    expect(assessment.crossings.hold).toMatchObject({ guardrails: ['sample_ratio'], named: true });
  });
});

describe('the sketch of a generation', () => {
  test('takes the 4,096 smallest hashes, each once a variant, and never takes back what it pushed out', () => {
    const units = new AssignedUnits();
    const offer = (first: number, count: number) =>
      Array.from({ length: count }, (_, at) => units.offer(BigInt(first + at), 'stable')).filter(Boolean).length;
    expect(offer(10_000, 4_096)).toBe(4_096);
    expect(offer(10_000, 4_096)).toBe(0);
    expect(units.offer(14_096n, 'stable')).toBe(false);
    expect(units.offer(14_095n, 'candidate')).toBe(true);
    expect(units.offer(14_095n, 'candidate')).toBe(false);
    expect(offer(0, 100)).toBe(100);
    expect(units.offer(14_095n, 'stable')).toBe(false);
    expect(offer(14_000, 4_096)).toBe(0);
  });

  test('lets in few after the first 4,096: 4,096 × (1 + ln(N ÷ 4,096)) of N', async () => {
    const hash = await loadHash();
    const units = new AssignedUnits();
    let reported = 0;
    for (let unit = 0; unit < 200_000; unit++)
      if (units.offer(sampleHash(hash, 'salt', `u-${unit}`), 'stable')) reported++;
    const expected = 4_096 * (1 + Math.log(200_000 / 4_096));
    expect(Math.abs(reported - expected)).toBeLessThan(4.5 * Math.sqrt(expected));
  });
});
