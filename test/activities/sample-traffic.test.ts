import { afterEach, describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import type { Plan } from '../../src/plan/types.js';
import { closeWorlds, failureOf, ROLLOUT, TestWorld } from './harness.js';
import type { WorldOptions } from './harness.js';
import { FAILING, HEALTHY, NOBODY, steady, turning } from './traffic.js';

let world: TestWorld;

afterEach(closeWorlds);

async function running(options: WorldOptions = {}, stage = 'canary-50'): Promise<TestWorld> {
  world = await TestWorld.create({ traffic: HEALTHY, ...options });
  await world.store();
  await world.obey(world.split(stage));
  return world;
}

async function evidenceOf(through = Number.MAX_SAFE_INTEGER): Promise<readonly EvidenceRecord[]> {
  const records: EvidenceRecord[] = [];
  for await (const batch of world.disk.evidence(ROLLOUT, 0, through)) records.push(...batch);
  return records;
}

const keyOf = (record: EvidenceRecord): string =>
  `${record.replica} ${record.process} ${record.intervalStart} ${record.variant}`;

describe('collecting', () => {
  it('returns when its time is over, with everything closed committed and acknowledged', async () => {
    await running();
    const result = await world.sample(world.samplingInput(world.split('canary-50')));
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok', crossing: null, hardStop: null, expired: [] });
    expect(world.clock.elapsedMs).toBe(30_000);
    expect(result.position.closedThrough).toBe(world.clock.trueNow());
    const records = await evidenceOf();
    expect(records).toHaveLength(60);
    expect(new Set(records.map(keyOf)).size).toBe(60);
    expect(world.router.queued).toBe(0);
  });

  it('pages through a backlog without waiting between portions', async () => {
    await running({ pageSize: 7, traffic: NOBODY });
    const split = world.split('canary-50');
    for (let interval = 0; interval < 200; interval += 1) {
      const [record] = HEALTHY({ start: world.clock.trueNow() + interval * 1_000, split });
      if (record !== undefined) world.router.push(record);
    }
    await world.sample(world.samplingInput(split, { forMs: 1_000 }));
    expect(world.router.queued).toBe(0);
    expect(world.clock.elapsedMs).toBe(1_000);
  });

  it('counts once what is sent again after a lost acknowledgement', async () => {
    await running();
    world.router.loseAcks = 1;
    await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 5_000 }));
    // The next worker knows no cursor: the router sends everything that it still holds.
    world.router.loseAcks = Number.POSITIVE_INFINITY;
    await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 5_000 }));
    await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 5_000 }));
    expect(world.router.queued).toBeGreaterThan(0);
    const records = await evidenceOf();
    expect(records).toHaveLength(30);
    expect(new Set(records.map(keyOf)).size).toBe(30);
  });

  it('resumes from the cursors of its heartbeats', async () => {
    await running();
    world.router.loseAcks = Number.POSITIVE_INFINITY;
    const environment = world.environment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 5_000 }), { environment });
    const before = world.faults.commits;
    const { queued } = world.router;
    world.router.loseAcks = 0;
    await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 1 }), {
      environment: world.environment({ heartbeatDetails: beats.at(-1) }),
    });
    // One poll: nothing was read again, and what the first attempt had committed is acknowledged now.
    expect(queued).toBe(10);
    expect(world.router.queued).toBe(0);
    expect(world.faults.commits - before).toBe(1);
    expect(await evidenceOf()).toHaveLength(10);
  });

  it('names a record that contradicts itself and holds: the failure is not retried', async () => {
    await running();
    const [record] = HEALTHY({ start: world.clock.trueNow(), split: world.split('canary-50') });
    if (record === undefined) throw new Error('no record');
    world.router.push({ ...record, error: { trials: 1, events: 2 } });
    const failure = await failureOf(world.sample(world.samplingInput(world.split('canary-50'))));
    expect(failure).toMatchObject({ type: 'evidence-invalid', nonRetryable: true });
    expect(failure.message).toContain(`"intervalStart":${record.intervalStart}`);
    expect(await evidenceOf()).toEqual([]);
  });
});

describe('findings', () => {
  it('returns at a hard stop within a poll, without waiting for an interval', async () => {
    await running({ traffic: NOBODY });
    world.clock.at(3_000, () => {
      world.router.recent = { stable: { started: 400, failed: 4 }, candidate: { started: 30, failed: 28 } };
    });
    const result = await world.sample(world.samplingInput(world.split('canary-50')));
    expect(result.reason).toBe('hard-stop');
    expect(result.hardStop).toEqual({ stable: { started: 400, failed: 4 }, candidate: { started: 30, failed: 28 } });
    expect(world.clock.elapsedMs).toBeLessThanOrEqual(3_250);
  });

  it('sums the starts of the fleet for the hard stop', async () => {
    await running({ routers: 3, traffic: NOBODY });
    for (const router of world.routers) {
      router.recent = { stable: { started: 100, failed: 0 }, candidate: { started: 8, failed: 8 } };
    }
    const result = await world.sample(world.samplingInput(world.split('canary-50')));
    expect(result.hardStop?.candidate).toEqual({ started: 24, failed: 24 });
  });

  it('calls a source down that fails on both sides, and goes on collecting', async () => {
    await running();
    world.clock.at(2_000, () => {
      world.router.recent = { stable: { started: 100, failed: 80 }, candidate: { started: 100, failed: 90 } };
    });
    const result = await world.sample(world.samplingInput(world.split('canary-50')));
    expect(result).toMatchObject({ reason: 'evidence-state', evidence: 'source-down', hardStop: null });
    expect(result.detail).toContain('80 of 100 requests failed at stable');
  });

  it('latches the first crossing at its interval, whatever poll brings it', async () => {
    await running({ traffic: turning(Date.parse('2026-11-24T09:00:05.000Z'), HEALTHY, FAILING) });
    const split = world.split('canary-50');
    const result = await world.sample(world.samplingInput(split));
    expect(result).toMatchObject({ reason: 'crossing', crossing: { family: 'rollback', guardrails: ['error_rate'] } });
    expect(result.position.closedThrough).toBe(result.crossing?.intervalEnd);
    // Another worker that comes late finds the same interval, though much more is in the ledger by then.
    world.routers.forEach((router) => void (router.leaseExpiresAt = Number.MAX_SAFE_INTEGER));
    await world.clock.sleep(20_000);
    const late = await world.sample(world.samplingInput(split));
    expect(late.crossing).toEqual(result.crossing);
    expect(late.position).toEqual(result.position);
  });

  it('goes on past crossings that the workflow has dealt with', async () => {
    const adjust = (plan: Plan): Plan => ({
      ...plan,
      guardrails: plan.guardrails.map((guardrail) => ({ ...guardrail, action: 'hold' })),
    });
    await running({ traffic: FAILING, adjust });
    const input = world.samplingInput(world.split('canary-50'), { forMs: 12_000 });
    const worker = world.worker();
    const found = await world.sample(input, { worker });
    expect(found).toMatchObject({ reason: 'crossing', crossing: { family: 'hold', guardrails: ['error_rate'] } });
    const again = await world.sample({ ...input, ignore: { hold: ['error_rate'], flag: [] } }, { worker });
    expect(again).toMatchObject({ reason: 'scheduled', crossing: null });
    expect(again.position.closedThrough).toBeGreaterThan(found.position.closedThrough);
  });

  it('returns when all promote gates are open, and only when it is asked to', async () => {
    await running({ traffic: steady({ trials: 1_000, errors: 0 }, { trials: 1_000, errors: 0 }) });
    const split = world.split('canary-50');
    const worker = world.worker();
    const result = await world.sample(world.samplingInput(split, { forMs: 600_000, untilPromotable: true }), {
      worker,
    });
    expect(result.reason).toBe('promote');
    const look = await world.call(
      (assessor) =>
        assessor.assess({
          rollout: ROLLOUT,
          stage: world.samplingInput(split).stage,
          position: result.position,
          promoteFromGeneration: 1,
          lookId: `${ROLLOUT}/canary-50/1`,
          why: 'promote',
        }),
      { worker },
    );
    expect(look.promote.open).toBe(true);
    const unasked = await world.sample(world.samplingInput(split, { forMs: 2_000 }), { worker });
    expect(unasked.reason).toBe('scheduled');
  });
});
