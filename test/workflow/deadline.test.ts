import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { createFakeWorld, samplingsOf } from './fakes.js';
import { by, stage } from './harness.js';
import { undecided } from './looks.js';
import { HOUR, planOf, stagePlan, twoHours } from './plans.js';

const play = stage();

const noTraffic = (): ReturnType<typeof undecided> => undecided({ requests: { stable: 0, candidate: 0 } });

it('advances an undecided stage where the plan says so', async () => {
  const world = createFakeWorld(twoHours({ onUndecided: 'advance' }));
  world.lookOf = () => undecided();
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    expect(world.ledger.find(({ action }) => action === 'advance')?.reason).toContain('undecided without harm');
  });
});

it('never advances a stage that saw no traffic, whatever the plan says of undecided ones', async () => {
  const world = createFakeWorld(twoHours({ onUndecided: 'advance' }));
  world.lookOf = noTraffic;
  world.findings.push({ stage: 'canary-5', afterMs: 0, result: { evidence: 'no-traffic' } });
  await play(world, async (scene) => {
    await scene.pass(10 * HOUR);
    const status = await scene.status();
    expect(status).toMatchObject({ state: 'held', evidence: 'no-traffic', stage: { name: 'canary-5' } });
    expect(status.hold?.reason).toBe(
      '1 h of canary-5 are over and it saw 0 of 100 requests of the candidate, 0 of stable: no-traffic',
    );
    // Who resumes gives it as much time again, and no more.
    await scene.update('resume', by('ann'));
    await scene.pass(0.5 * HOUR);
    expect(await scene.status()).toMatchObject({ state: 'running', stage: { name: 'canary-5' } });
    await scene.pass(HOUR);
    expect(await scene.status()).toMatchObject({ state: 'held', stage: { name: 'canary-5' } });
    world.lookOf = () => undecided();
    world.findings.push({ stage: 'canary-5', afterMs: 0, result: { evidence: 'ok' } });
    await scene.update('resume', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
  });
});

it('holds a shadow stage whose mirrored requests did not arrive', async () => {
  const shadow = stagePlan('shadow', {
    kind: 'shadow',
    weights: { stable: 1, candidate: 0 },
    mirror: { variant: 'candidate', share: 1 },
    durationMs: HOUR,
    lookTimesMs: [HOUR],
  });
  const world = createFakeWorld(planOf([shadow, stagePlan('canary-5')]));
  world.lookOf = () => undecided({ requests: { stable: 5_000, candidate: 0 } });
  await play(world, async (scene) => {
    await scene.pass(2 * HOUR);
    expect(await scene.status()).toMatchObject({ state: 'held', stage: { name: 'shadow' } });
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('extends an undecided stage up to its limit, then holds', async () => {
  const world = createFakeWorld(twoHours({ onUndecided: 'extend' }));
  world.lookOf = () => undecided();
  await play(world, async (scene) => {
    await scene.pass(1.9 * HOUR);
    expect(await scene.status()).toMatchObject({ state: 'running', stage: { name: 'canary-5' } });
    expect(samplingsOf(world).at(-1)?.untilPromotable).toBe(true);
    await scene.pass(0.2 * HOUR);
    expect((await scene.status()).hold?.reason).toBe(
      '2 h of canary-5 are over and the evidence is undecided: error_rate: needs 300 more requests',
    );
    await scene.update('promote', by('ann'));
    expect((await scene.status()).stage.name).toBe('canary-50');
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('holds an undecided stage at its end where the plan says so', async () => {
  const world = createFakeWorld(twoHours({ onUndecided: 'hold' }));
  world.lookOf = () => undecided();
  await play(world, async (scene) => {
    await scene.pass(HOUR + 60_000);
    expect(await scene.status()).toMatchObject({ state: 'held', hold: { guardrails: [] } });
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('asks a person about few users instead of advancing on them, in the sentence of the look', async () => {
  const world = createFakeWorld(twoHours());
  world.lookOf = () => ({ dominance: 'few users dominate the candidate: one of 64 groups of users sends 34% of it' });
  await play(world, async (scene) => {
    await scene.pass(HOUR + 60_000);
    expect((await scene.status()).hold?.reason).toMatch(
      /few users dominate the candidate: one of 64 groups of users sends 34% of it: see why, then promote or extend/,
    );
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('asks a person about incomplete evidence instead of advancing on it', async () => {
  const world = createFakeWorld(twoHours());
  world.lookOf = () => ({ incompleteShare: 0.25 });
  await play(world, async (scene) => {
    await scene.pass(HOUR + 60_000);
    expect((await scene.status()).hold?.reason).toMatch(/25% of the stage's intervals are incomplete/);
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('waits out an outage at the end of a stage, and advances when evidence is back', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push(
    { stage: 'canary-5', afterMs: 0.9 * HOUR, result: { evidence: 'source-down' } },
    { stage: 'canary-5', afterMs: 3 * HOUR, result: { evidence: 'ok' } },
  );
  await play(world, async (scene) => {
    await scene.pass(2 * HOUR);
    expect(await scene.status()).toMatchObject({
      state: 'running',
      evidence: 'source-down',
      stage: { name: 'canary-5' },
    });
    await scene.pass(1.1 * HOUR);
    expect(await scene.status()).toMatchObject({ evidence: 'ok', stage: { name: 'canary-50' } });
    expect(world.told.filter(({ event }) => event === 'evidence')).toHaveLength(2);
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('takes a new generation at the same share after the lease ran out, takes the time back, and asks for fresh evidence', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push({
    stage: 'canary-5',
    afterMs: 0.5 * HOUR,
    result: { expired: ['http://router-1:8701'], notInForceMs: 10 * 60_000, evidence: 'router-not-converged' },
  });
  world.findings.push({ stage: 'canary-5', afterMs: 0.5 * HOUR + 1_000, result: { evidence: 'ok' } });
  await play(world, async (scene) => {
    await scene.result();
    const generations = world.written.map(({ generation, weights }) => [generation, weights.candidate]);
    expect(generations).toEqual([
      [7, 0.05],
      [7, 0.05],
      [8, 0.05],
      [8, 0.05],
      [9, 0.5],
      [9, 0.5],
      [10, 0],
      [10, 0],
    ]);
    const [start, end] = world.ledger;
    expect(Math.round(((end?.at ?? 0) - (start?.at ?? 0)) / 60_000)).toBe(70);
    const after = samplingsOf(world);
    const [first] = after;
    expect(first?.promoteFromGeneration).toBe(7);
    expect(after.filter(({ split }) => split.generation === 8).map((input) => input.promoteFromGeneration)).toContain(
      8,
    );
  });
});

it('writes above the generation of somebody else', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push({ stage: 'canary-5', afterMs: 60_000, result: { highestGeneration: 40 } });
  await play(world, async (scene) => {
    await scene.result();
    expect([...new Set(world.written.map(({ generation }) => generation))]).toEqual([7, 41, 42, 43]);
  });
});

it('holds when a split is not confirmed by every router, and writes it again on resume', async () => {
  const world = createFakeWorld(twoHours());
  const [, cutOff] = world.fleet;
  world.before = ({ name, input }) => {
    if (name === 'setSplit' && input.split.stage === 'canary-50' && cutOff !== undefined) cutOff.reachable = false;
  };
  await play(world, async (scene) => {
    await scene.pass(1.5 * HOUR);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      stage: { name: 'canary-50', startedAt: null },
      hold: { reason: 'setSplit failed: not confirmed by http://router-2:8701' },
    });
    world.before = () => {};
    if (cutOff !== undefined) cutOff.reachable = true;
    await scene.update('resume', by('ann'));
    expect(await scene.status()).toMatchObject({ state: 'running', stage: { name: 'canary-50' } });
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
  });
});

it.each(['sampleTraffic', 'assess'] as const)(
  'holds when %s has run out of attempts, tries on, and goes on after a resume',
  async (broken) => {
    const world = createFakeWorld(twoHours());
    await play(world, async (scene) => {
      await scene.pass(0.5 * HOUR);
      world.before = ({ name }) => {
        if (name === broken)
          throw ApplicationFailure.create({ type: 'ledger-unavailable', message: 'the ledger is down' });
      };
      await scene.pass(3 * HOUR);
      expect(await scene.status()).toMatchObject({
        state: 'held',
        hold: { reason: `${broken} failed: the ledger is down`, guardrails: [] },
      });
      const tries = world.calls.filter(({ name }) => name === broken).length;
      await scene.pass(25 * HOUR);
      expect(world.calls.filter(({ name }) => name === broken).length).toBeGreaterThan(tries);
      expect(world.ledger.filter(({ action }) => action === 'hold')).toHaveLength(1);
      world.before = () => {};
      await scene.update('resume', by('ann'));
      expect(await scene.result()).toMatchObject({ state: 'promoted' });
    });
  },
);

it('goes on without ledger and webhooks for decisions, and says what is missing', async () => {
  const world = createFakeWorld(twoHours());
  world.before = ({ name }) => {
    if (name === 'recordDecision' || name === 'notify') throw ApplicationFailure.create({ message: `${name} is down` });
  };
  await play(world, async (scene) => {
    await scene.pass(1.5 * HOUR);
    const { stage: at, flags } = await scene.status();
    expect(at.name).toBe('canary-50');
    expect(flags).toContain('decision 1 (start) is not in the ledger: recordDecision failed: recordDecision is down');
    expect(flags).toContain('nobody was told "started": notify failed: notify is down');
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
  });
});
