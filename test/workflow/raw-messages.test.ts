import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { createFakeWorld } from './fakes.js';
import { by, stage, text } from './harness.js';
import { HOUR, twoHours } from './plans.js';

const play = stage();

it('takes signals as the Web UI may send them: without input, with text, with fields nobody knows', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(60_000);
    await scene.signal('pause');
    await scene.pass(1_000);
    expect(await scene.status()).toMatchObject({ state: 'paused' });
    await scene.signal('resume', 'lunch is over', 'and more');
    await scene.pass(1_000);
    await scene.signal('promote', { reason: 7, by: null, stage: ['canary-5'], colour: 'blue' });
    await scene.pass(1_000);
    expect((await scene.status()).stage.name).toBe('canary-50');
    await scene.signal('rollback', null);
    expect(await scene.result()).toMatchObject({
      state: 'rolled-back',
      by: 'somebody by signal',
      reason: 'no reason given',
    });
    const said = world.ledger.filter(({ action }) => action === 'pause' || action === 'resume' || action === 'promote');
    expect(said.map((decision) => [decision.action, decision.by, decision.reason])).toEqual([
      ['pause', 'somebody by signal', 'no reason given'],
      ['resume', 'somebody by signal', 'lunch is over'],
      ['promote', 'somebody by signal', 'no reason given'],
    ]);
  });
});

it('refuses updates in words that name the stage and the next step', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(60_000);
    const refusals = [
      ['pause', undefined, /pause needs a reason: send/],
      ['pause', { by: 'ann', reason: ' ' }, /pause needs a reason/],
      ['pause', { by: 7, reason: 'x' }, /by 7 is not a name/],
      ['promote', { by: 'ann', reason: 'x', to: 'moon' }, /to "moon" is neither "next" nor "end"/],
      ['rollback', { by: 'ann', reason: 'x', to: 'end' }, /"to" belongs to promote/],
      ['rollback', { by: 'ann', reason: 'x', stage: 5 }, /stage 5 is not a name/],
      ['rollback', { by: 'ann', reason: 'x', stage: 'flip' }, /at stage "canary-5" \(1 of 2\), not "flip"/],
      ['resume', { by: 'ann', reason: 'x' }, /canary-5 is running: there is nothing to resume/],
    ] as const;
    for (const [name, input, message] of refusals)
      await expect(scene.update(name, input)).rejects.toMatchObject({ cause: { message: text(message) } });
    const { events = [] } = await scene.history();
    // A refusal leaves nothing in the history.
    expect(events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
    await scene.update('rollback', by('ann'));
    await scene.result();
  });
});

it('keeps signals that come while the plan is being checked, and takes a rollback before anything is written', async () => {
  const world = createFakeWorld(twoHours());
  world.before = ({ name }) => {
    if (name === 'openRollout') throw ApplicationFailure.create({ message: 'the ledger is down' });
  };
  await play(world, async (scene) => {
    await scene.pass(1_000);
    await expect(scene.update('promote', by('ann'))).rejects.toMatchObject({
      cause: { message: text(/plan is being checked and nothing is written/) },
    });
    await expect(scene.status()).rejects.toThrow(/plan is being checked/);
    await scene.signal('rollback', by('ann'));
    world.before = () => {};
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', by: 'ann' });
    expect(world.calls.map(({ name }) => name)).not.toContain('setSplit');
    expect(world.written).toEqual([]);
  });
});

it('fails with the failure of its first activity before anything is touched', async () => {
  const world = createFakeWorld(twoHours());
  const type = 'candidate-unknown';
  const message = 'candidate: llama-33 is not in sluice.yaml';
  world.before = () => {
    throw ApplicationFailure.nonRetryable(message, type);
  };
  await play(world, async (scene) => {
    const ended = scene.result();
    await expect(ended).rejects.toBeInstanceOf(WorkflowFailedError);
    await expect(ended).rejects.toMatchObject({ cause: { type, message } });
    expect(world.calls.map(({ name }) => name)).toEqual(['openRollout']);
  });
});

it('passes what it was started with to the first activity, and answers a pause and a resume in order', async () => {
  const world = createFakeWorld(twoHours());
  await play(
    world,
    async (scene) => {
      await scene.pass(60_000);
      // One after the other: two calls at once may reach the server in either order.
      await scene.signal('pause', by('ann'));
      await scene.signal('resume', by('ann'));
      await scene.pass(HOUR);
      await expect.poll(async () => (await scene.status()).stage.name).toBe('canary-50');
      await scene.signal('rollback', by('ann'));
      await scene.result();
      expect(world.calls[0]).toMatchObject({
        name: 'openRollout',
        input: { by: 'zoe', sameUsers: true, takeOver: { reason: 'the old one is stuck' } },
      });
      expect(world.calls.find(({ name }) => name === 'setSplit')?.input).toMatchObject({
        takeOver: { reason: 'the old one is stuck' },
      });
    },
    { input: { by: 'zoe', sameUsers: true, takeOver: { reason: 'the old one is stuck' } } },
  );
});
