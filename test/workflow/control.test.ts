import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createFakeWorld, samplingsOf } from './fakes.js';
import type { FakeWorld } from './fakes.js';
import { by, stage, text } from './harness.js';
import { crossing, guardrail, undecided } from './looks.js';
import { DAY, fiveWeeks, HOUR, planOf, stagePlan, twoHours, WEEK } from './plans.js';

const play = stage();

/** How long a stage was in force, by the decisions in the ledger, ms. */
function lasted(world: FakeWorld, name: string): number {
  const of = (action: string): number =>
    world.ledger.find((decision) => decision.stage === name && decision.action === action)?.at ?? Number.NaN;
  return of('advance') - of('start');
}

function refused(code: string, message: RegExp): (error: unknown) => void {
  return (error) => {
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error).toMatchObject({ cause: { type: code, message: text(message) } });
  };
}

it('stops the clock while paused, and takes a look a day with the guardrails on', async () => {
  const world = createFakeWorld(fiveWeeks());
  await play(world, async (scene) => {
    await scene.pass(DAY);
    expect(await scene.update('pause', by('ann', { stage: 'shadow' }))).toMatchObject({
      accepted: true,
      state: 'paused',
      stage: 'shadow',
      repeated: false,
    });
    const paused = await scene.status();
    expect(paused).toMatchObject({ state: 'paused', stage: { name: 'shadow', endsAt: null } });
    // Half a day off the daily looks: what a person asks must not meet one.
    await scene.pass(2.5 * DAY);
    const asked = samplingsOf(world);
    expect(asked.slice(-3).map(({ reason, forMs }) => [reason, forMs])).toEqual(Array(3).fill(['daily', DAY]));
    expect(asked.at(-4)?.reason).toBe('scheduled');
    await scene.update('resume', by('ann'));
    expect(await scene.status()).toMatchObject({ state: 'running' });
    await scene.result();
    expect(Math.round(lasted(world, 'shadow') / HOUR)).toBe(9.5 * 24);
    expect(Math.round(lasted(world, 'canary-5') / HOUR)).toBe(7 * 24);
  });
});

it('rolls back while paused', async () => {
  const world = createFakeWorld(fiveWeeks());
  world.findings.push({ stage: 'shadow', afterMs: 4 * DAY, result: { crossing: crossing('rollback', 'error_rate') } });
  await play(world, async (scene) => {
    await scene.pass(DAY);
    await scene.update('pause', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', guardrails: ['error_rate'] });
  });
});

it('waits for a full interval past warm-up before an increase that follows a pause of more than a day', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(0.9 * HOUR);
    await scene.update('pause', by('ann'));
    await scene.pass(25 * HOUR);
    await scene.update('resume', by('ann'));
    const { note } = await scene.update('promote', by('ann'));
    expect(note).toContain('canary-5 ends as soon as');
    expect(await scene.status()).toMatchObject({
      stage: { name: 'canary-5' },
      gates: [
        { kind: 'time', open: true },
        { kind: 'evidence', open: false, why: text(/fresh/) },
      ],
    });
    await scene.result();
    const resumed = world.ledger.find(({ action }) => action === 'resume')?.at ?? 0;
    const next = world.ledger.find(({ stage: name, action }) => name === 'canary-50' && action === 'start')?.at ?? 0;
    // Warm-up of a minute, and an interval of a second wherever it begins.
    expect(next - resumed).toBeGreaterThanOrEqual(62_000);
    expect(next - resumed).toBeLessThan(70_000);
  });
});

it('holds on a hold guardrail until a person resumes, which acknowledges it for good', async () => {
  const world = createFakeWorld(fiveWeeks());
  const breach = crossing('hold', 'refusal_rate');
  world.findings.push({ stage: 'canary-5', afterMs: HOUR, result: { crossing: breach } });
  world.lookOf = (name) =>
    name === 'shadow'
      ? {}
      : {
          guardrails: {
            refusal_rate: guardrail({ action: 'hold', verdict: 'breached', why: '8% refused, 2% of stable' }),
          },
          crossings: { rollback: null, hold: breach, flag: null },
        };
  await play(world, async (scene) => {
    await scene.pass(WEEK + 2 * HOUR);
    expect(await scene.status()).toMatchObject({
      state: 'held',
      stage: { name: 'canary-5', endsAt: null },
      hold: { reason: 'refusal_rate: 8% refused, 2% of stable', guardrails: ['refusal_rate'] },
    });
    expect(world.told.filter(({ event }) => event === 'held')).toHaveLength(1);
    await expect(scene.update('resume', { by: 'bob' })).rejects.toSatisfy((error: unknown) => {
      refused('not-applicable', /resume needs a reason/)(error);
      return true;
    });
    await scene.pass(2 * DAY);
    await scene.update('resume', by('bob'));
    const status = await scene.status();
    expect(status).toMatchObject({ state: 'running', hold: null });
    expect(status.flags).toContain('refusal_rate was acknowledged by bob: because bob says so');
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    expect(world.ledger.filter(({ action }) => action === 'hold')).toHaveLength(1);
    expect(samplingsOf(world).at(-1)?.ignore.hold).toEqual(['refusal_rate']);
  });
});

it('holds again for another hold guardrail, and never acknowledges a rollback guardrail', async () => {
  const world = createFakeWorld(fiveWeeks());
  world.findings.push(
    { stage: 'shadow', afterMs: HOUR, result: { crossing: crossing('hold', 'refusal_rate') } },
    { stage: 'shadow', afterMs: 10 * HOUR, result: { crossing: crossing('hold', 'abort_rate') } },
    { stage: 'shadow', afterMs: 20 * HOUR, result: { crossing: crossing('rollback', 'error_rate') } },
  );
  await play(world, async (scene) => {
    await scene.pass(2 * HOUR);
    await scene.update('resume', by('ann'));
    await scene.pass(10 * HOUR);
    expect(await scene.status()).toMatchObject({ state: 'held', hold: { guardrails: ['abort_rate'] } });
    await scene.update('promote', by('ann', { stage: 'shadow' }));
    expect((await scene.status()).stage.name).toBe('canary-5');
    // The rollback guardrail crosses while the collector looks at the next stage.
    world.findings.push({ stage: 'canary-5', afterMs: HOUR, result: { crossing: crossing('rollback', 'error_rate') } });
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', stage: 'canary-5', guardrails: ['error_rate'] });
  });
});

it('raises a flag once and goes on', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push({ stage: 'canary-5', afterMs: 60_000, result: { crossing: crossing('flag', 'response_rate') } });
  world.lookOf = () => ({ crossings: { rollback: null, hold: null, flag: crossing('flag', 'response_rate') } });
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    expect(world.ledger.filter(({ action }) => action === 'flag')).toHaveLength(1);
    expect(world.told.filter(({ event }) => event === 'flagged')).toHaveLength(1);
  });
});

it('promotes to the next stage, past time and evidence, and only once', async () => {
  const world = createFakeWorld(fiveWeeks());
  world.lookOf = () => undecided();
  await play(world, async (scene) => {
    await scene.pass(HOUR);
    await scene.update('promote', by('ann', { stage: 'shadow', to: 'next' }));
    expect((await scene.status()).stage.name).toBe('canary-5');
    await expect(scene.update('promote', by('ann', { stage: 'shadow' }))).rejects.toSatisfy((error: unknown) => {
      refused('stage-mismatch', /at stage "canary-5" \(2 of 5\), not "shadow".*send stage "canary-5"/)(error);
      return true;
    });
    await scene.signal('promote', by('ann', { stage: 'shadow' }));
    await scene.pass(60_000);
    const status = await scene.status();
    expect(status.stage.name).toBe('canary-5');
    expect(status.flags).toEqual([text(/signal promote of ann was ignored/)]);
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('takes a promotion that is sent twice under one id once', async () => {
  const world = createFakeWorld(fiveWeeks());
  await play(world, async (scene) => {
    await scene.pass(HOUR);
    const first = await scene.update('promote', by('ann'), 'the-same-id');
    const second = await scene.update('promote', by('ann'), 'the-same-id');
    expect(second).toEqual(first);
    expect((await scene.status()).stage.name).toBe('canary-5');
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('promotes to the end at once, also from a hold', async () => {
  const world = createFakeWorld(fiveWeeks());
  world.findings.push({ stage: 'shadow', afterMs: HOUR, result: { crossing: crossing('hold', 'refusal_rate') } });
  await play(world, async (scene) => {
    await scene.pass(2 * HOUR);
    await scene.update('promote', by('ann', { to: 'end' }));
    expect(await scene.result()).toMatchObject({ state: 'promoted', stage: 'shadow', by: 'ann' });
    expect(world.fleet[0]?.split).toMatchObject({ lease: null, upstreams: { stable: 'llama-32' } });
    expect(world.fleet[0]?.split?.generation).toBe(8);
  });
});

it('says that it has ended to whoever comes late', async () => {
  const world = createFakeWorld(planOf([stagePlan('canary-5', { durationMs: HOUR, lookTimesMs: [HOUR] })]));
  await play(world, async (scene) => {
    await scene.result();
    await expect(scene.update('promote', by('ann'))).rejects.toBeInstanceOf(WorkflowNotFoundError);
  });
});

it('lets a promotion wait while there is no evidence, and says so', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push(
    { stage: 'canary-5', afterMs: 60_000, result: { evidence: 'router-not-converged', detail: 'router-2 holds 5' } },
    { stage: 'canary-5', afterMs: 20 * 60_000, result: { evidence: 'ok', detail: '' } },
  );
  await play(world, async (scene) => {
    await scene.pass(120_000);
    const { note } = await scene.update('promote', by('ann'));
    expect(note).toMatch(/waits.*router-not-converged/);
    expect((await scene.status()).stage.name).toBe('canary-5');
    await expect(scene.update('promote', by('bob'))).rejects.toSatisfy((error: unknown) => {
      refused('not-applicable', /asked by ann already and waits.*router-2 holds 5/)(error);
      return true;
    });
    await scene.result();
    expect(Math.round(lasted(world, 'canary-5') / 60_000)).toBe(20);
  });
});

it('waits at a manual gate for a person, and tells one', async () => {
  const world = createFakeWorld(twoHours({ gate: 'manual' }));
  await play(world, async (scene) => {
    await scene.pass(5 * HOUR);
    expect(await scene.status()).toMatchObject({
      state: 'running',
      stage: { name: 'canary-5' },
      gates: [
        { kind: 'time', open: true },
        { kind: 'evidence', open: true },
        { kind: 'person', open: false },
      ],
    });
    expect(world.told.filter(({ event }) => event === 'waiting')).toHaveLength(1);
    await scene.update('promote', by('ann'));
    expect((await scene.status()).stage.name).toBe('canary-50');
    await scene.pass(HOUR + 60_000);
    await scene.update('promote', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'promoted', by: 'ann' });
  });
});

it('shows from the start to the end what the rollout does without', async () => {
  const leftOut = "ttft_p50, ttft_p95 left out: none of stable's last 812 answers was a stream";
  const world = createFakeWorld(twoHours(), { flags: [leftOut] });
  await play(world, async (scene) => {
    await scene.pass(30_000);
    expect((await scene.status()).flags).toEqual([leftOut]);
    await scene.result();
    expect((await scene.status()).flags).toContain(leftOut);
  });
});
