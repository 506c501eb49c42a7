import { afterEach, expect, it } from 'vitest';
import { stageName } from '../../src/plan/ids.js';
import { closeWorlds, configOf, failureOf, ROLLOUT, TestWorld, WRITTEN_PLAN } from './harness.js';

afterEach(closeWorlds);

const CHECKS = `
checks:
  good: { command: ["${process.execPath}", "-e", "process.exit(0)"] }
  bad: { command: ["${process.execPath}", "-e", "process.exit(4)"] }
  suite: { workflow: evalSuite, taskQueue: evals }
`;

const window = { days: 'Mon-Fri', hours: '09:00-17:00', timeZone: 'Europe/Berlin' };

async function worldWith(stage: object): Promise<TestWorld> {
  const stages = [{ kind: 'canary', share: '50%', for: '60s', ...stage }];
  const world = await TestWorld.create({ config: CHECKS, plan: { ...WRITTEN_PLAN, stages } });
  await world.store();
  return world;
}

const ask = (world: TestWorld, now: string) =>
  world.call((worker) => worker.checkGates({ rollout: ROLLOUT, stage: stageName('canary-50'), now: Date.parse(now) }));

it('has no gates where the plan asks for none', async () => {
  const world = await worldWith({});
  await expect(ask(world, '2026-11-24T10:00:00Z')).resolves.toEqual({ gates: [], opensAt: null });
});

it('tells when a closed window opens, and that an open one is open', async () => {
  const world = await worldWith({ window });
  await expect(ask(world, '2026-11-28T10:00:00Z')).resolves.toEqual({
    gates: [
      {
        kind: 'window',
        open: false,
        why: 'the calendar window is closed and opens at 2026-11-30T08:00:00.000Z',
      },
    ],
    opensAt: Date.parse('2026-11-30T08:00:00Z'),
  });
  await expect(ask(world, '2026-11-30T08:00:00Z')).resolves.toEqual({
    gates: [{ kind: 'window', open: true, why: 'the calendar window is open' }],
    opensAt: null,
  });
});

it("runs the user's checks and leaves workflows to the pipeline", async () => {
  const world = await worldWith({ checks: ['good', 'bad', 'suite'] });
  const { gates } = await ask(world, '2026-11-24T10:00:00Z');
  expect(gates).toEqual([
    { kind: 'check', open: true, why: 'check "good": exit 0' },
    { kind: 'check', open: false, why: 'check "bad": exit 4' },
  ]);
});

it('holds when sluice.yaml has lost a check that the plan names', async () => {
  const world = await worldWith({ checks: ['good'] });
  world.config = configOf(world.routers, '');
  const failure = await failureOf(ask(world, '2026-11-24T10:00:00Z'));
  expect(failure).toMatchObject({ type: 'config-invalid', nonRetryable: true });
  expect(failure.message).toContain('"good"');
});
