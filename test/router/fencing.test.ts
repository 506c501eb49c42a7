import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeWrite } from '../../src/router/split/fencing.js';
import {
  allOn,
  canarySplit,
  OTHER_ROLLOUT,
  putSplit,
  readSplit,
  restingSplit,
  ROLLOUT,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

async function start(): Promise<RouterFixture> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  return startFixture({ urls: { old: old.url, new: fresh.url } });
}

describe('the fencing rule', () => {
  const mine = (generation: number) => canarySplit({ generation });
  const theirs = (generation: number) => canarySplit({ generation, rollout: OTHER_ROLLOUT });
  const resting = (generation: number) => restingSplit('old', { generation });

  test.each([
    ['newer, of the same rollout', mine(3), true, mine(4), false, 'accept'],
    ['far newer', mine(3), true, mine(90), false, 'accept'],
    ['the same again', mine(3), true, mine(3), false, 'repeat'],
    ['the same again after its lease', mine(3), false, mine(3), false, 'repeat'],
    ['the same generation, another body', mine(3), true, { ...mine(3), salt: 'x' }, false, 'stale'],
    ['older', mine(3), true, mine(2), false, 'stale'],
    ['older, taking over', mine(3), true, theirs(2), true, 'stale'],
    ['another rollout’s', mine(3), true, theirs(4), false, 'owned'],
    ['another rollout’s, taking over', mine(3), true, theirs(4), true, 'accept'],
    ['another rollout’s after the lease', mine(3), false, theirs(4), false, 'accept'],
    ['another rollout’s on a resting split', resting(3), true, theirs(4), false, 'accept'],
    ['a resting split of the same rollout', mine(3), true, resting(4), false, 'accept'],
    ['a resting split of nobody', mine(3), true, { ...resting(4), rollout: null }, false, 'owned'],
  ])('%s', (_name, current, inForce, proposed, takeOver, judgement) => {
    expect(judgeWrite(current, inForce, proposed, takeOver)).toBe(judgement);
  });
});

describe('writes over the admin API', () => {
  test('a repetition is 200, and does not lengthen the lease', async () => {
    const { router, clock } = await start();
    const first = await putSplit(router, canarySplit());
    clock.advance(60_000);
    const second = await putSplit(router, canarySplit());
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.leaseExpiresAt).toBe(first.body.leaseExpiresAt);
  });

  test('another body of the same generation is 409 with what is there', async () => {
    const { router } = await start();
    await putSplit(router, canarySplit());
    const { status, body } = await putSplit(router, canarySplit({ salt: 'another' }));
    expect(status).toBe(409);
    expect(body.error.code).toBe('stale');
    expect(body.current?.split).toEqual(canarySplit());
  });

  test('another rollout is 409 until it says why it takes over, which is logged', async () => {
    const { router, log } = await start();
    await putSplit(router, canarySplit());
    const theirs = canarySplit({ generation: 2, rollout: OTHER_ROLLOUT });
    const refused = await putSplit(router, theirs);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'owned']);
    expect((await putSplit(router, theirs, '?takeOver=')).status).toBe(400);
    const taken = await putSplit(router, theirs, '?takeOver=the+first+one+is+lost');
    expect(taken.status).toBe(200);
    expect((await readSplit(router)).split).toEqual(theirs);
    expect(log.map(({ message }) => message).join('\n')).toMatch(/taken over from .*14:00:00Z: the first one is lost/);
  });

  test('a split of an upstream that the router does not know is 422 and changes nothing', async () => {
    const { router } = await start();
    const split = canarySplit();
    const { status, body } = await putSplit(router, {
      ...split,
      upstreams: { ...split.upstreams, candidate: restingSplit('old').upstreams.stable },
    });
    expect(status).toBe(200);
    const upstreams = { stable: 'old', candidate: 'newer' };
    const answer = await putSplit(router, { ...canarySplit({ generation: 2 }), upstreams });
    expect([answer.status, answer.body.error.code]).toEqual([422, 'upstream-unknown']);
    expect(answer.body.error.message).toMatch(/"newer".*old, new/);
    expect((await readSplit(router)).split).toEqual(body.split);
  });

  test.each([
    ['weights that do not sum to 1', { weights: { stable: 0.9, candidate: 0.2 } }, /weights: sum to 1.1/],
    ['a share above 1', { mirror: { variant: 'candidate', share: 1.5 } }, /mirror.share/],
    ['a generation that is no number', { generation: '7' }, /generation/],
    ['an unknown field', { surprise: 1 }, /surprise/],
    ['a rollout that is none', { rollout: 'support' }, /rollout: .*not <route>@/],
    ['a lease of nobody', { rollout: null }, /lease: belongs to a rollout/],
    ['a resting split on the candidate', { lease: null }, /weights.stable: of a split without lease is 1/],
    [
      'a histogram of nothing',
      { metering: { ...canarySplit().metering, histograms: { colour: { gamma: 2, xMin: 1, thresholdIndex: null } } } },
      /metering.histograms.colour/,
    ],
  ])('%s is 400 with its path', async (_name, change, message) => {
    const { router } = await start();
    const { status, body } = await putSplit(router, { ...canarySplit(), ...change });
    expect([status, body.error.code]).toEqual([400, 'body-invalid']);
    expect(body.error.message).toMatch(message);
    expect((await readSplit(router)).split.generation).toBe(0);
  });

  test('any interleaving of writes ends at the highest generation, with one body', async () => {
    const { router } = await start();
    let floor = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ generation: fc.integer({ min: 1, max: 6 }), salt: fc.constantFrom('a', 'b') }), {
          minLength: 1,
          maxLength: 12,
        }),
        async (writes) => {
          const splits = writes.map(({ generation, salt }) => canarySplit({ generation: floor + generation, salt }));
          const answers = await Promise.all(splits.map((split) => putSplit(router, split)));
          const highest = Math.max(...splits.map(({ generation }) => generation));
          const { split } = await readSplit(router);
          expect(split.generation).toBe(highest);
          // Whoever was told yes for the highest generation wrote exactly what is there.
          const confirmed = splits.filter(
            (written, index) => written.generation === highest && answers[index]?.status === 200,
          );
          expect(confirmed).not.toHaveLength(0);
          expect(confirmed).toEqual(confirmed.map(() => split));
          const repeated = await putSplit(router, split);
          expect(repeated.status).toBe(200);
          floor = highest;
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a rollback may be written while another write is under way', async () => {
    const { router } = await start();
    const [ramp, rollback] = await Promise.all([
      putSplit(router, canarySplit({ generation: 7 })),
      putSplit(router, allOn('stable', { generation: 8 })),
    ]);
    expect(rollback.status).toBe(200);
    expect([200, 409]).toContain(ramp.status);
    expect((await readSplit(router)).split.weights).toEqual({ stable: 1, candidate: 0 });
    expect((await readSplit(router)).split.rollout).toBe(ROLLOUT);
  });
});
