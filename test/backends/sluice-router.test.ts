import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { SluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { FailureCode } from '../../src/plan/failures.js';
import { SluiceError } from '../../src/plan/failures.js';
import { rolloutId, routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import { evidenceRecord } from '../helpers/evidence-record.js';
import { ADMIN_TOKEN, ADMIN_TOKEN_ENV, FakeRouter, restingSplit } from '../helpers/fake-router.js';
import { VirtualClock } from '../helpers/virtual-clock.js';

const route = routeName('support');
const rollout = rolloutId('support@2026-11-24T09:00:00Z');
const never = new AbortController().signal;

const split: Split = {
  ...restingSplit(),
  generation: 1,
  rollout,
  stage: stageName('canary-5'),
  weights: { stable: 0.95, candidate: 0.05 },
  upstreams: { stable: upstreamName('old'), candidate: upstreamName('new') },
  lease: { seconds: 900, onExpiry: 'stable' },
};

let clock: VirtualClock;
let router: FakeRouter;
let backend: SluiceRouterBackend;

beforeEach(async () => {
  clock = new VirtualClock();
  router = await new FakeRouter({ clock }).start();
  backend = createSluiceRouterBackend({
    config: () => ({ fleet: [{ kind: 'address', admin: router.address, tokenEnv: ADMIN_TOKEN_ENV }] }),
    env: { [ADMIN_TOKEN_ENV]: ADMIN_TOKEN },
    timeoutMs: 300,
  });
});

afterEach(async () => {
  await router.close();
  await backend.close();
});

async function failureOf(promise: Promise<unknown>): Promise<{ code: FailureCode; message: string }> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SluiceError)) throw new Error('no SluiceError was thrown', { cause: error });
  return { code: error.code, message: error.message };
}

describe('splits', () => {
  it('writes, repeats and reads back', async () => {
    await expect(backend.writeSplit(router.member, route, split, {}, never)).resolves.toMatchObject({
      kind: 'confirmed',
    });
    await expect(backend.writeSplit(router.member, route, split, {}, never)).resolves.toMatchObject({
      kind: 'confirmed',
    });
    await expect(backend.readSplit(router.member, route, never)).resolves.toMatchObject({ split, inForce: true });
  });

  it('reports an older generation as stale, with what is in force', async () => {
    await backend.writeSplit(router.member, route, { ...split, generation: 4 }, {}, never);
    const outcome = await backend.writeSplit(router.member, route, split, {}, never);
    expect(outcome).toMatchObject({ kind: 'stale', current: { split: { generation: 4 } } });
  });

  it("reports another rollout's split as owned, and takes over with a reason", async () => {
    await backend.writeSplit(router.member, route, split, {}, never);
    const other = { ...split, generation: 9, rollout: rolloutId('support@2026-11-25T09:00:00Z') };
    await expect(backend.writeSplit(router.member, route, other, {}, never)).resolves.toMatchObject({
      kind: 'owned',
      current: { split: { rollout } },
    });
    const reason = 'the first one is lost & gone';
    await expect(
      backend.writeSplit(router.member, route, other, { takeOver: { reason } }, never),
    ).resolves.toMatchObject({ kind: 'confirmed' });
    expect(router.takeOvers).toEqual([reason]);
  });

  it('takes a clock that counts finer than milliseconds', async () => {
    router.nowOffsetMs = 0.75;
    const view = await backend.readSplit(router.member, route, never);
    expect(view.now).toBe(clock.trueNow());
  });

  it('finds a route whose name has a slash', async () => {
    const slashed = await new FakeRouter({ clock, route: 'team/support' }).start();
    try {
      const view = await backend.readSplit(slashed.member, routeName('team/support'), never);
      expect(view.route).toBe('team/support');
    } finally {
      await slashed.close();
    }
  });
});

describe('lease and evidence', () => {
  it('renews while current and unexpired, and not after', async () => {
    await backend.writeSplit(router.member, route, split, {}, never);
    await expect(backend.renewLease(router.member, route, rollout, 1, never)).resolves.toBe(true);
    await expect(backend.renewLease(router.member, route, rollout, 2, never)).resolves.toBe(false);
    await clock.sleep(901_000);
    await expect(backend.renewLease(router.member, route, rollout, 1, never)).resolves.toBe(false);
  });

  it('keeps what was not acknowledged and drops what was', async () => {
    router.push(evidenceRecord());
    const first = await backend.readEvidence(router.member, route, rollout, null, never);
    const again = await backend.readEvidence(router.member, route, rollout, null, never);
    expect(again.records).toEqual(first.records);
    await backend.acknowledge(router.member, route, first.cursor, never);
    const after = await backend.readEvidence(router.member, route, rollout, null, never);
    expect(after.records).toEqual([]);
  });

  it('names the record that contradicts itself', async () => {
    router.push(evidenceRecord({ intervalStart: 1_764_000_000_000, error: { trials: 3, events: 5 } }));
    const failure = await failureOf(backend.readEvidence(router.member, route, rollout, null, never));
    expect(failure.code).toBe('evidence-invalid');
    expect(failure.message).toContain('error: events exceed trials');
    expect(failure.message).toContain('"intervalStart":1764000000000');
    expect(failure.message).toContain('"replica":"replica-1"');
  });

  it("refuses another rollout's record", async () => {
    const page = {
      ...(await backend.readEvidence(router.member, route, rollout, null, never)),
      records: [evidenceRecord({ rollout: rolloutId('other@2026-11-24T09:00:00Z') })],
    };
    router.answerWith = { status: 200, body: JSON.stringify(page) };
    const failure = await failureOf(backend.readEvidence(router.member, route, rollout, null, never));
    expect(failure.code).toBe('evidence-invalid');
    expect(failure.message).toContain('other@2026-11-24T09:00:00Z');
  });
});

describe('failures', () => {
  it('says which variable holds no token', async () => {
    const member = { address: router.address, tokenEnv: 'NOT_SET' };
    const failure = await failureOf(backend.readSplit(member, route, never));
    expect(failure.code).toBe('router-unauthorized');
    expect(failure.message).toContain('NOT_SET');
    expect(router.calls).toEqual([]);
  });

  it('says that the token was refused, without the token', async () => {
    const wrong = createSluiceRouterBackend({
      config: () => ({ fleet: [] }),
      env: { [ADMIN_TOKEN_ENV]: 'secret-but-wrong' },
    });
    const failure = await failureOf(wrong.readSplit(router.member, route, never));
    await wrong.close();
    expect(failure.code).toBe('router-unauthorized');
    expect(failure.message).not.toContain('secret-but-wrong');
  });

  it('says when a route is unknown', async () => {
    const failure = await failureOf(backend.readSplit(router.member, routeName('unheard-of'), never));
    expect(failure.code).toBe('route-unknown');
    expect(failure.message).toContain('unheard-of');
  });

  it.each([
    ['garbage', { status: 200, body: '<html>hello</html>' }],
    ['another shape', { status: 200, body: '{"hello":1}' }],
    ['an error', { status: 500, body: '{"error":{"code":"disk-full","message":"no space"}}' }],
  ])('calls %s no answer of a router', async (_what, answer) => {
    router.answerWith = answer;
    const failure = await failureOf(backend.readSplit(router.member, route, never));
    expect(failure.code).toBe('router-answer');
    expect(failure.message).toContain(router.address);
  });

  it('gives up on a router that hangs', async () => {
    router.hanging = true;
    const failure = await failureOf(backend.readSplit(router.member, route, never));
    expect(failure.code).toBe('router-unreachable');
  });

  it('says when nobody listens', async () => {
    router.cutOff = true;
    const failure = await failureOf(backend.readSplit(router.member, route, never));
    expect(failure).toMatchObject({ code: 'router-unreachable' });
    expect(failure.message).toContain(router.address);
  });

  it("throws the activity's own reason when it is cancelled", async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by the workflow');
    router.hanging = true;
    const reading = backend.readSplit(router.member, route, controller.signal);
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  it('finds no fleet where none is', async () => {
    const none = createSluiceRouterBackend({ config: () => ({ fleet: [] }), env: {} });
    await expect(failureOf(none.members([], never))).resolves.toMatchObject({ code: 'config-invalid' });
    await none.close();
  });

  it('remembers members when names no longer resolve', async () => {
    const warnings: string[] = [];
    const lost = createSluiceRouterBackend({
      config: () => ({ fleet: [{ kind: 'dns', name: 'gone.internal', port: 1, tokenEnv: 'T' }] }),
      env: {},
      resolve: () => Promise.reject(new Error('ENOTFOUND')),
      warn: (message) => warnings.push(message),
    });
    const remembered = [{ address: 'http://10.0.0.9:8701', tokenEnv: 'T' }];
    await expect(lost.members(remembered, never)).resolves.toEqual(remembered);
    await lost.close();
    expect(warnings.join()).toContain('gone.internal');
  });
});
