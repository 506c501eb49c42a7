import { expect, it } from 'vitest';
import type { AbReading } from '../../src/evidence/look.js';
import type { AbPlan, Plan } from '../../src/plan/types.js';
import { createFakeWorld, samplingsOf } from './fakes.js';
import type { FakeWorld } from './fakes.js';
import { by, stage, text } from './harness.js';
import { abLook } from './looks.js';
import { DAY, HOUR, planOf, stagePlan } from './plans.js';

const play = stage();

function fortnight(winner: AbPlan['winner']): Plan {
  const half = { weights: { stable: 0.5, candidate: 0.5 } };
  return planOf([stagePlan('ab', { kind: 'ab', durationMs: 14 * DAY, onUndecided: 'hold', ladder: 'late', ...half })], {
    ab: { primary: 'error_rate', winner },
  });
}

/** A world in which the stage finds this after three days. */
function worldOf(winner: AbPlan['winner'], finding: AbReading['finding']): FakeWorld {
  const world = createFakeWorld(fortnight(winner));
  let began: number | null = null;
  world.findings.push({ stage: 'ab', afterMs: 3 * DAY, result: { reason: 'promote' } });
  world.lookOf = (_, at) => {
    began ??= at;
    const {
      stage: __,
      id: ___,
      rollout: ____,
      why: _____,
      at: ______,
      ...said
    } = abLook(at - began >= 3 * DAY - HOUR ? finding : 'undecided');
    return said;
  };
  return world;
}

function lastedDays(world: FakeWorld, until: string): number {
  const at = (action: string): number => world.ledger.find((one) => one.action === action)?.at ?? Number.NaN;
  return Math.round((at(until) - at('start')) / DAY);
}

it('promotes a better candidate as soon as that is shown, when the plan acts', async () => {
  const world = worldOf('act', 'candidate-better');
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({ state: 'promoted', stage: 'ab' });
    expect(lastedDays(world, 'advance')).toBe(3);
    expect(world.ledger.find(({ action }) => action === 'advance')?.reason).toBe(
      'evidence: ab: candidate-better by the numbers',
    );
    expect(world.written.at(-1)).toMatchObject({ upstreams: { stable: 'llama-32', candidate: null }, lease: null });
    expect(samplingsOf(world).every(({ untilPromotable }) => untilPromotable)).toBe(true);
  });
});

it('rolls back to a better stable, when the plan acts', async () => {
  const world = worldOf('act', 'stable-better');
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({
      state: 'rolled-back',
      stage: 'ab',
      by: 'sluice',
      guardrails: ['error_rate'],
      reason: 'ab: stable-better by the numbers',
      evidence: text(/error_rate/),
    });
    expect(lastedDays(world, 'rollback')).toBe(3);
    expect(world.written.at(-1)).toMatchObject({ upstreams: { stable: 'llama-31', candidate: null } });
  });
});

it('asks a person when there is no difference, although the plan acts', async () => {
  const world = worldOf('act', 'no-difference');
  await play(world, async (scene) => {
    await scene.pass(4 * DAY);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      hold: { reason: text(/^ab: no-difference.*a choice of cost, not of quality$/), guardrails: [] },
      ab: { finding: 'no-difference', primary: 'error_rate' },
    });
    expect(world.told.map(({ event }) => event)).toContain('held');
    await scene.update('promote', by('ann', { stage: 'ab' }));
    expect(await scene.result()).toMatchObject({ state: 'promoted', by: 'ann' });
  });
});

it('recommends, and a person promotes', async () => {
  const world = worldOf('recommend', 'candidate-better');
  await play(world, async (scene) => {
    await scene.pass(4 * DAY);
    const held = await scene.status();
    expect(held).toMatchObject({ state: 'held', hold: { reason: text(/recommended: promote$/) } });
    expect(held.gates).toEqual([{ kind: 'evidence', open: false, why: held.hold?.reason }]);
    await scene.update('promote', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'promoted', by: 'ann' });
  });
});

it('recommends, and a person rolls back', async () => {
  const world = worldOf('recommend', 'stable-better');
  await play(world, async (scene) => {
    await scene.pass(4 * DAY);
    expect(await scene.status()).toMatchObject({ state: 'held', hold: { reason: text(/recommended: roll back$/) } });
    await scene.update('rollback', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', by: 'ann' });
  });
});

it('recommends, and goes on when a person resumes: it holds again only at its deadline', async () => {
  const world = worldOf('recommend', 'candidate-better');
  await play(world, async (scene) => {
    await scene.pass(4 * DAY);
    expect(await scene.status()).toMatchObject({ state: 'held' });
    await scene.update('resume', by('ann'));
    await scene.pass(9 * DAY);
    expect(await scene.status()).toMatchObject({ state: 'running', flags: [] });
    expect(samplingsOf(world).at(-1)?.heard).toEqual(['candidate-better']);
    // A day was spent in the hold.
    await scene.pass(3 * DAY);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      hold: { reason: text(/^14 d of ab are over: ab: candidate-better.*recommended: promote$/) },
    });
    await scene.update('promote', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
  });
});

it('holds undecided at its deadline', async () => {
  const world = worldOf('act', 'undecided');
  await play(world, async (scene) => {
    await scene.pass(15 * DAY);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      hold: { reason: text(/^14 d of ab are over and the evidence is undecided: error_rate: undecided/) },
    });
    expect(lastedDays(world, 'hold')).toBe(14);
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});
