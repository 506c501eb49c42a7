import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { createFakeWorld } from '../workflow/fakes.js';
import type { FakeWorld } from '../workflow/fakes.js';
import { by, stage } from '../workflow/harness.js';
import type { SceneOptions } from '../workflow/harness.js';
import { crossing } from '../workflow/looks.js';
import { HOUR, twoHours } from '../workflow/plans.js';

const play = stage();

/** Two regions, each with its fleet and its worker; the world of the workflow's own queue is not used. */
function regions(eu: FakeWorld, us: FakeWorld): SceneOptions {
  return {
    workflow: {
      path: fileURLToPath(new URL('../../examples/two-regions/workflow.ts', import.meta.url)),
      type: 'twoRegions',
      args: [{ plan: {}, by: 'ann' }],
    },
    around: async (environment) => {
      const ends = [await region(environment, 'sluice-eu', eu), await region(environment, 'sluice-us', us)];
      return async () => {
        for (const end of ends) await end();
      };
    },
  };
}

async function region(
  { nativeConnection }: TestWorkflowEnvironment,
  taskQueue: string,
  { activities }: FakeWorld,
): Promise<() => Promise<void>> {
  const worker = await Worker.create({ connection: nativeConnection, taskQueue, activities: { ...activities } });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

function timeline(eu: FakeWorld, us: FakeWorld): string[] {
  const said = [
    ...eu.ledger.map(({ at, action, stage: name }) => ({ at, what: `eu ${action} ${name}` })),
    ...us.ledger.map(({ at, action, stage: name }) => ({ at, what: `us ${action} ${name}` })),
  ];
  return said.toSorted((a, b) => a.at - b.at).map(({ what }) => what);
}

function expectStable({ fleet }: FakeWorld): void {
  for (const { split } of fleet)
    expect(split).toMatchObject({ lease: null, weights: { candidate: 0 }, upstreams: { stable: 'llama-31' } });
}

it('takes each stage in eu, then in us, and keeps watching the one that waits', async () => {
  const [eu, us] = [createFakeWorld(twoHours()), createFakeWorld(twoHours())];
  await play(
    eu,
    async (scene) => {
      expect(await scene.result()).toEqual({ eu: 'promoted', us: 'promoted' });
      expect(timeline(eu, us).slice(0, 8)).toEqual([
        'eu start canary-5',
        'eu advance canary-5',
        'us start canary-5',
        'us advance canary-5',
        'eu start canary-50',
        'eu advance canary-50',
        'us start canary-50',
        'us advance canary-50',
      ]);
      // While us went through its first stage, eu was watched with its split of that stage.
      const kept = eu.calls.filter((call) => call.name === 'sampleTraffic' && call.input.reason === 'daily');
      expect(kept.length).toBeGreaterThan(0);
    },
    regions(eu, us),
  );
});

it('takes both regions back when a guardrail crosses in one, even in the one that waits', async () => {
  const [eu, us] = [createFakeWorld(twoHours()), createFakeWorld(twoHours())];
  eu.findings.push({
    stage: 'canary-5',
    afterMs: 1.5 * HOUR,
    result: { crossing: crossing('rollback', 'error_rate') },
  });
  await play(
    eu,
    async (scene) => {
      expect(await scene.result()).toEqual({ eu: 'rolled-back', us: 'rolled-back' });
      expectStable(eu);
      expectStable(us);
      expect(timeline(eu, us).slice(-2).toSorted()).toEqual(['eu rollback canary-5', 'us rollback canary-5']);
    },
    regions(eu, us),
  );
});

it('promotes the region that is on its way, pauses both, and rolls both back on one word', async () => {
  const [eu, us] = [createFakeWorld(twoHours()), createFakeWorld(twoHours())];
  await play(
    eu,
    async (scene) => {
      await scene.pass(0.5 * HOUR);
      await scene.update('promote', by('ann', { stage: 'canary-5' }));
      await scene.pass(0.5 * HOUR);
      // Not us: it had not begun when eu was promoted.
      expect(timeline(eu, us)).toEqual([
        'eu start canary-5',
        'eu promote canary-5',
        'eu advance canary-5',
        'us start canary-5',
      ]);
      await scene.update('pause', by('ann'));
      await scene.pass(3 * HOUR);
      expect(us.ledger.map(({ action }) => action)).toEqual(['start', 'pause']);
      expect(eu.ledger.map(({ action }) => action)).toEqual(['start', 'promote', 'advance', 'pause']);
      await scene.signal('rollback', by('ann'));
      expect(await scene.result()).toEqual({ eu: 'rolled-back', us: 'rolled-back' });
      expectStable(eu);
      expectStable(us);
    },
    regions(eu, us),
  );
});

it('takes both to the end on one word', async () => {
  const [eu, us] = [createFakeWorld(twoHours()), createFakeWorld(twoHours())];
  await play(
    eu,
    async (scene) => {
      await scene.pass(1.5 * HOUR);
      await scene.update('promote', by('ann', { to: 'end' }));
      expect(await scene.result()).toEqual({ eu: 'promoted', us: 'promoted' });
      expect(us.fleet[0]?.split).toMatchObject({ lease: null, upstreams: { stable: 'llama-32' } });
      expect(timeline(eu, us)).not.toContain('eu start canary-50');
    },
    regions(eu, us),
  );
});
