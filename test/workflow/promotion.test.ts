import { expect, it } from 'vitest';
import { planWith } from '../plan/context.js';
import { createFakeWorld, samplingsOf } from './fakes.js';
import { stage, text } from './harness.js';
import { undecided } from './looks.js';
import { DAY, planOf, stagePlan, twoHours, WEEK } from './plans.js';

const play = stage();

it('takes five weeks in five weeks, and ends on a resting split of the candidate', async () => {
  const world = createFakeWorld({ ...planWith({ stages: 'five-week' }), notify: ['ops'] }, { highestGeneration: 6 });
  await play(world, async (scene) => {
    const outcome = await scene.result();
    expect(outcome).toMatchObject({ state: 'promoted', stage: 'flip', by: 'sluice' });

    const starts = world.ledger.filter(({ action }) => action === 'start');
    expect(starts.map((decision) => decision.stage)).toEqual(['shadow', 'canary-5', 'canary-25', 'canary-50', 'flip']);
    const ends = world.ledger.filter(({ action }) => action === 'advance');
    ends.forEach(({ at }, index) => {
      const lasted = at - (starts[index]?.at ?? 0);
      expect(lasted).toBeGreaterThanOrEqual(WEEK);
      expect(lasted).toBeLessThan(WEEK + 5_000);
    });

    const ofOne = world.written.filter((_, index) => index % 2 === 0);
    expect(ofOne.map(({ generation, weights, mirror }) => [generation, weights.candidate, mirror.share])).toEqual([
      [7, 0, 1],
      [8, 0.05, 0],
      [9, 0.25, 0],
      [10, 0.5, 0],
      [11, 1, 0.1],
      [12, 0, 0],
    ]);
    expect(ofOne.at(-1)).toMatchObject({
      lease: null,
      weights: { stable: 1, candidate: 0 },
      upstreams: { stable: 'llama-32', candidate: null },
    });
    expect(new Set(world.written.map(({ salt }) => salt)).size).toBe(1);

    // The bound of a run is 2,000: the rest is for pauses, evidence that comes and goes, and retries of the router.
    const { events } = await scene.history();
    expect(events?.length).toBeLessThan(1_700);
    expect(new Set(world.told.map(({ event }) => event))).toEqual(new Set(['started', 'advanced', 'promoted']));
  });
});

it('takes the scheduled looks of a stage, each once, and one at its end', async () => {
  const plan = planOf([stagePlan('canary-5', { lookTimesMs: [5_000, 60_000, DAY, WEEK] })]);
  const world = createFakeWorld(plan);
  await play(world, async (scene) => {
    await scene.result();
    const asked = samplingsOf(world);
    expect(asked.map(({ reason }) => reason)).toEqual(['scheduled', 'scheduled', 'scheduled', 'scheduled']);
    expect(world.calls.filter(({ name }) => name === 'assess')).toHaveLength(4);
  });
});

it('rests on stable after a plan that gave the candidate no user', async () => {
  const shadow = stagePlan('shadow', {
    kind: 'shadow',
    weights: { stable: 1, candidate: 0 },
    mirror: { variant: 'candidate', share: 1 },
  });
  const world = createFakeWorld(planOf([shadow]));
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({
      state: 'promoted',
      reason: text(/rests on llama-31/),
    });
    expect(world.fleet[0]?.split).toMatchObject({ lease: null, upstreams: { stable: 'llama-31' } });
  });
});

it('ends before its deadline is over as soon as the evidence is in, where the plan extends', async () => {
  const plan = planOf([stagePlan('canary-50', { onUndecided: 'extend', maxDurationMs: 2 * WEEK })]);
  const world = createFakeWorld(plan);
  const enough = { stage: 'canary-50', afterMs: 9 * DAY, result: { reason: 'promote' } } as const;
  world.findings.push(enough);
  world.lookOf = () => (world.findings.includes(enough) ? undecided() : {});
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    const [start, end] = world.ledger;
    expect(Math.floor(((end?.at ?? 0) - (start?.at ?? 0)) / DAY)).toBe(9);
  });
});

it('tries the end of a promotion again until every router has confirmed', async () => {
  const world = createFakeWorld(twoHours());
  const [, cutOff] = world.fleet;
  world.before = ({ name }) => {
    if (name === 'reconcileRoutes' && cutOff !== undefined) cutOff.reachable = false;
  };
  await play(world, async (scene) => {
    await scene.pass(2.1 * 3_600_000);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      outstanding: ['http://router-2:8701'],
      hold: { reason: text(/http:\/\/router-2:8701/) },
    });
    world.before = () => {};
    if (cutOff !== undefined) cutOff.reachable = true;
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    expect(cutOff?.split).toMatchObject({ lease: null, upstreams: { stable: 'llama-32' } });
  });
});
