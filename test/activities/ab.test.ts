import { afterEach, describe, expect, it } from 'vitest';
import type { SampleTrafficInput } from '../../activities/types.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../src/statistics/assessment/assessment.js';
import { closeWorlds, ROLLOUT, TestWorld, WRITTEN_PLAN } from './harness.js';
import type { Traffic } from './harness.js';
import { steady } from './traffic.js';

let world: TestWorld;

afterEach(closeWorlds);

const BETTER = steady({ trials: 100, errors: 10 }, { trials: 100, errors: 3 });
const ALIKE = steady({ trials: 100, errors: 10 }, { trials: 100, errors: 10 });

async function running(traffic: Traffic): Promise<void> {
  const plan = { ...WRITTEN_PLAN, stages: [{ kind: 'ab', for: '600s' }], winner: 'act' };
  world = await TestWorld.create({ traffic, plan });
  await world.store();
  await world.obey(world.split('ab'));
}

function input(more: Partial<SampleTrafficInput> = {}): SampleTrafficInput {
  return world.samplingInput(world.split('ab'), { forMs: 120_000, untilPromotable: true, ...more });
}

/** The assessment of everything in the ledger, interval by interval, until `stop`. */
async function rebuilt(stop: (assessment: Assessment) => boolean): Promise<Assessment> {
  const assessment = createAssessment(world.plan, {});
  for await (const batch of world.disk.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)) {
    for (const start of new Set(batch.map(({ intervalStart }) => intervalStart))) {
      assessment.absorb(batch.filter(({ intervalStart }) => intervalStart === start));
      if (stop(assessment)) return assessment;
    }
  }
  return assessment;
}

describe('collecting in an ab stage', () => {
  it('returns at the interval at which it is decided, long before its time is over', async () => {
    await running(BETTER);
    const { stage, promoteFromGeneration } = input();
    const worker = world.worker();
    const result = await world.sample(input(), { worker });
    expect(result.reason).toBe('promote');
    expect(world.clock.elapsedMs).toBeLessThan(60_000);
    const look = await world.call(
      (assessor) =>
        assessor.assess({
          rollout: ROLLOUT,
          stage,
          position: result.position,
          promoteFromGeneration,
          lookId: `${ROLLOUT}/ab/1`,
          why: result.reason,
        }),
      { worker },
    );
    expect(look).toMatchObject({ ab: { finding: 'candidate-better' }, promote: { open: true } });
    const first = await rebuilt((assessment) => assessment.finding(stage, { promoteFromGeneration }) !== 'undecided');
    expect(first.closedThrough).toBe(result.position.closedThrough);
    expect(first.read(stage, { promoteFromGeneration }).ab).toEqual(look.ab);
  });

  it('goes on when a person has heard of it, with the guardrails on', async () => {
    await running(BETTER);
    const worker = world.worker();
    const found = await world.sample(input(), { worker });
    const again = await world.sample(input({ heard: ['candidate-better'], forMs: 20_000 }), { worker });
    expect(again.reason).toBe('scheduled');
    expect(again.position.closedThrough).toBeGreaterThan(found.position.closedThrough);
  });

  it('does not return for it unless it is asked to', async () => {
    await running(BETTER);
    expect(await world.sample(input({ untilPromotable: false, forMs: 40_000 }))).toMatchObject({ reason: 'scheduled' });
  });

  it('stays away while nothing is decided', async () => {
    await running(ALIKE);
    const result = await world.sample(input({ forMs: 10_000 }));
    expect(result.reason).toBe('scheduled');
    expect(world.clock.elapsedMs).toBe(10_000);
  });
});
