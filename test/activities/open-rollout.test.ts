import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenRolloutInput } from '../../activities/types.js';
import { rolloutId } from '../../src/plan/ids.js';
import { bucketIndex } from '../../src/statistics/histogram.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { ALL_OFF } from '../plan/context.js';
import { restingSplit } from '../helpers/fake-router.js';
import { closeWorlds, failureOf, ROLLOUT, ROUTE, STARTED_AT, TestWorld, WRITTEN_PLAN } from './harness.js';

let world: TestWorld;

const latencyPlan = { ...WRITTEN_PLAN, guardrails: {} };

beforeEach(async () => {
  world = await TestWorld.create({
    routers: 2,
    config: `
checks:
  evals: { workflow: evalSuite, taskQueue: evals, timeout: 1h }
  smoke: { url: "http://127.0.0.1:9/smoke" }
`,
  });
});

afterEach(closeWorlds);

function input(overrides: Partial<OpenRolloutInput> = {}): OpenRolloutInput {
  return {
    plan: WRITTEN_PLAN,
    startedAt: STARTED_AT,
    salt: 'fresh-salt',
    by: 'me',
    sameUsers: false,
    takeOver: null,
    ...overrides,
  };
}

const openIt = (overrides: Partial<OpenRolloutInput> = {}) =>
  world.call((worker) => worker.openRollout(input(overrides)));

describe('openRollout', () => {
  it('freezes the plan, names the rollout and stores it', async () => {
    const result = await openIt();
    expect(result).toMatchObject({ rollout: ROLLOUT, salt: 'fresh-salt', highestGeneration: 0 });
    expect(result.plan).toMatchObject({ stable: 'old', candidate: 'new', route: 'support' });
    expect(result.members).toHaveLength(2);
    expect(Object.keys(result.metering)).toEqual(['shadow', 'canary-50', 'flip']);
    await expect(world.disk.rollout(ROLLOUT)).resolves.toMatchObject({ salt: 'fresh-salt', plan: result.plan });
  });

  it('gives a second attempt what the first one stored', async () => {
    const first = await openIt();
    const second = await openIt({ salt: 'another-salt', plan: { ...WRITTEN_PLAN, falseRollback: '1%' } });
    expect(second).toEqual(first);
  });

  it('tells rollouts of one second apart', async () => {
    const first = await openIt();
    const second = await openIt({ startedAt: STARTED_AT + 1 });
    expect(second.rollout).not.toBe(first.rollout);
    expect(second.rollout).toBe('support@2026-11-24T09:00:00.001Z');
  });

  it('starts above the highest generation of routers and ledger', async () => {
    const [, two] = world.routers;
    if (two === undefined) throw new Error('two routers are needed');
    two.split = restingSplit('old', 7);
    await expect(openIt()).resolves.toMatchObject({ highestGeneration: 7 });
    await world.disk.putRouteRow({
      route: ROUTE,
      stable: world.plan.stable,
      split: restingSplit('old', 11),
      updatedAt: 1,
    });
    await expect(openIt({ startedAt: STARTED_AT + 1 })).resolves.toMatchObject({ highestGeneration: 11 });
  });

  it("takes the ledger's word for what is stable", async () => {
    await world.disk.putRouteRow({
      route: ROUTE,
      stable: world.plan.candidate,
      split: restingSplit('new', 11),
      updatedAt: 1,
    });
    const result = await openIt({ plan: { ...WRITTEN_PLAN, candidate: 'old' } });
    expect(result.plan).toMatchObject({ stable: 'new', candidate: 'old' });
    await expect(failureOf(openIt())).resolves.toMatchObject({ nonRetryable: true });
  });

  it('keeps the cohort of the last rollout where it is asked to', async () => {
    await openIt({ salt: 'first' });
    const next = await openIt({ startedAt: STARTED_AT + 1_000, salt: 'second', sameUsers: true });
    expect(next.salt).toBe('first');
    const fresh = await openIt({ startedAt: STARTED_AT + 2_000, salt: 'third' });
    expect(fresh.salt).toBe('third');
  });

  it("seeds the thresholds with stable's own meter over the fleet", async () => {
    const [one, two] = world.routers;
    if (one === undefined || two === undefined) throw new Error('two routers are needed');
    one.latencies = Array.from({ length: 150 }, (_, index) => 100 + index);
    two.latencies = Array.from({ length: 150 }, (_, index) => 250 + index);
    const result = await openIt({ plan: latencyPlan });
    const row = await world.disk.rollout(ROLLOUT);
    const seed = row?.seeds['latency_p95'];
    if (seed === undefined) throw new Error('no seed');
    expect(Object.values(seed.counts).reduce((sum, count) => sum + count, 0)).toBe(300);
    // The 285th of 300 values: 384 ms.
    expect(result.metering['shadow']?.histograms['latency_p95']?.thresholdIndex).toBe(
      bucketIndex(384, { gamma: seed.gamma, smallest: seed.xMin }),
    );
  });

  it('seeds the lengths of answers with what stable has written', async () => {
    world.router.completionTokens = Array.from({ length: 300 }, (_, index) => 1 + index);
    const result = await openIt({ plan: latencyPlan });
    const { tokens_per_response: metered } = result.metering['shadow']?.histograms ?? {};
    // Half of them have at most 150 tokens.
    expect(metered?.thresholdIndex).toBe(bucketIndex(150, { gamma: metered?.gamma ?? 0, smallest: 1 }));
    await expect(world.disk.rollout(ROLLOUT)).resolves.toHaveProperty('seeds.tokens_per_response');
  });

  it('leaves out what the route does not have, scales the weights and says so', async () => {
    for (const router of world.routers) router.answered = { complete: 150, streams: 0, withCachedTokens: 0 };
    const written = await openIt({ plan: latencyPlan });
    const names = written.plan.guardrails.map(({ name }) => name);
    expect(names).not.toEqual(expect.arrayContaining(['ttft_p50']));
    expect(names).not.toEqual(expect.arrayContaining(['ttft_p95']));
    expect(names).not.toEqual(expect.arrayContaining(['cache_hit_rate']));
    expect(names).toEqual(expect.arrayContaining(['feedback', 'response_rate']));
    const rollback = written.plan.guardrails.filter(({ action }) => action === 'rollback');
    expect(rollback.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(written.plan.guardrails.find(({ name }) => name === 'error_rate')?.weight).toBeCloseTo(0.25 / 0.7, 12);
    expect(written.flags).toEqual([
      "ttft_p50, ttft_p95 left out: none of stable's last 300 answers was a stream",
      "cache_hit_rate left out: none of stable's last 300 answers said how much of its prompt was cached",
    ]);
    // What was left out is part of what the rollout is: the plan checks as it is stored.
    expect(freezePlan(written.plan, { config: world.config, stable: null })).toEqual(written.plan);
    expect(await openIt({ plan: latencyPlan })).toEqual(written);
  });

  it.each([
    ['a stream was seen', { complete: 400, streams: 1, withCachedTokens: 1 }],
    ['too few answers prove it', { complete: 199, streams: 0, withCachedTokens: 0 }],
    ['a router does not tell', null],
  ])('leaves nothing out when %s', async (_why, answered) => {
    world.router.answered = answered;
    const [, two] = world.routers;
    if (two === undefined) throw new Error('two routers are needed');
    two.answered = { complete: 0, streams: 0, withCachedTokens: 0 };
    const { plan, flags } = await openIt({ plan: latencyPlan });
    const names = plan.guardrails.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ttft_p50', 'ttft_p95', 'cache_hit_rate']));
    expect(flags).toEqual([]);
  });

  it('keeps what alone rolls back, and what an A/B stage decides on', async () => {
    for (const router of world.routers) router.answered = { complete: 500, streams: 0, withCachedTokens: 0 };
    const alone = await openIt({ plan: { ...WRITTEN_PLAN, guardrails: { ...ALL_OFF, ttft_p95: {} } } });
    expect(alone.plan.guardrails.map(({ name }) => name)).toEqual(['ttft_p95']);
    expect(alone.flags).toEqual([]);
    const stages = [{ kind: 'ab', for: '60s' }];
    const plan = { ...latencyPlan, stages, primary: 'ttft_p95' };
    const ab = await openIt({ plan, startedAt: STARTED_AT + 1 });
    const names = ab.plan.guardrails.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ttft_p95']));
    expect(names).not.toEqual(expect.arrayContaining(['ttft_p50']));
    expect(ab.flags?.[0]).toBe("ttft_p50 left out: none of stable's last 1000 answers was a stream");
  });

  it('waits with a threshold below 200 values', async () => {
    world.router.latencies = Array.from({ length: 199 }, () => 100);
    const result = await openIt({ plan: latencyPlan });
    expect(result.metering['shadow']?.histograms['latency_p95']?.thresholdIndex).toBeNull();
    await expect(world.disk.rollout(ROLLOUT)).resolves.toHaveProperty('seeds.latency_p95');
  });

  it('hands the checks that are workflows to the pipeline', async () => {
    const stages = [{ kind: 'canary', share: '50%', for: '60s', checks: ['evals', 'smoke'] }];
    const result = await openIt({ plan: { ...WRITTEN_PLAN, stages } });
    expect(result.workflowChecks).toEqual({
      evals: { workflowType: 'evalSuite', taskQueue: 'evals', timeoutMs: 3_600_000 },
    });
  });
});

describe('openRollout refuses', () => {
  it.each([
    ['a plan with an unknown key', { plan: { ...WRITTEN_PLAN, routes: 1 } }, 'plan-invalid', 'routes'],
    ['an unknown route', { plan: { ...WRITTEN_PLAN, route: 'sales' } }, 'route-unknown', 'sales'],
    ['an unknown candidate', { plan: { ...WRITTEN_PLAN, candidate: 'newer' } }, 'candidate-unknown', 'newer'],
    ['something that is no plan', { plan: 'support' }, 'plan-invalid', 'plan'],
  ])('%s', async (_what, overrides, type, named) => {
    const failure = await failureOf(openIt(overrides));
    expect(failure).toMatchObject({ type, nonRetryable: true });
    expect(failure.message).toContain(named);
    await expect(world.disk.rollouts(null, 9)).resolves.toEqual([]);
  });

  it('a fleet of which one member does not answer', async () => {
    world.router.cutOff = true;
    const failure = await failureOf(openIt());
    expect(failure).toMatchObject({ type: 'fleet-not-converged', nonRetryable: false });
    expect(failure.message).toContain(world.router.address);
    expect(failure.message).toContain('1 of 2 did');
  });

  it('a wrong token, for good', async () => {
    world.env['TEST_ADMIN_TOKEN'] = 'wrong';
    await expect(failureOf(openIt())).resolves.toMatchObject({ type: 'router-unauthorized', nonRetryable: true });
  });

  it('a router that does not know the candidate', async () => {
    const small = await TestWorld.create({ upstreams: ['old'] });
    const failure = await failureOf(small.call((worker) => worker.openRollout(input())));
    expect(failure).toMatchObject({ type: 'candidate-unknown', nonRetryable: true });
    expect(failure.message).toContain(small.router.address);
  });

  it("a route that another rollout holds, unless it is taken over or that one's lease ran out", async () => {
    const other = { ...world.split('canary-50', 3), rollout: rolloutId('support@2026-11-20T09:00:00Z') };
    world.router.split = other;
    world.router.leaseExpiresAt = world.clock.trueNow() + 1_000;
    const failure = await failureOf(openIt());
    expect(failure).toMatchObject({ type: 'route-owned', nonRetryable: true });
    expect(failure.message).toContain('support@2026-11-20T09:00:00Z');
    await expect(openIt({ takeOver: { reason: 'lost' } })).resolves.toMatchObject({ highestGeneration: 3 });
    world.router.leaseExpiresAt = world.clock.trueNow() - 1;
    await expect(openIt({ startedAt: STARTED_AT + 1 })).resolves.toMatchObject({ highestGeneration: 3 });
  });
});
