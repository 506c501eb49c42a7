import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeWorlds, TestWorld } from '../harness.js';
import { HEALTHY } from '../traffic.js';

let stable: Server;
let stableUrl: string;
let status: number;
const asked: { path: string; key: string | undefined }[] = [];

beforeEach(async () => {
  asked.length = 0;
  status = 200;
  stable = createServer((request, response) => {
    asked.push({ path: request.url ?? '', key: request.headers.authorization });
    response.writeHead(status);
    response.end('{"data":[]}');
  });
  stable.listen(0, '127.0.0.1');
  await once(stable, 'listening');
  const bound = stable.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  stableUrl = `http://127.0.0.1:${bound.port}/v1`;
});

afterEach(async () => {
  await closeWorlds();
  stable.closeAllConnections();
  stable.close();
  await once(stable, 'close');
});

async function flipped(stage = 'flip'): Promise<TestWorld> {
  const world = await TestWorld.create({ traffic: HEALTHY });
  const upstreams = new Map(world.config.upstreams);
  const old = upstreams.get(world.plan.stable);
  if (old === undefined) throw new Error('no stable upstream');
  upstreams.set(world.plan.stable, { ...old, url: stableUrl, apiKeyEnv: 'OLD_KEY' });
  world.config = { ...world.config, upstreams };
  world.env['OLD_KEY'] = 'key-of-old';
  await world.store();
  await world.obey(world.split(stage));
  return world;
}

describe('after the flip', () => {
  it('the way back is probed with its key, and nothing is said while it is there', async () => {
    const world = await flipped();
    const result = await world.sample(world.samplingInput(world.split('flip'), { forMs: 130_000, flags: [] }));
    expect(result).toMatchObject({ reason: 'scheduled', flags: [] });
    expect(asked).toEqual(Array.from({ length: 3 }, () => ({ path: '/v1/models', key: 'Bearer key-of-old' })));
  });

  it('its loss is a flag that returns at once, told once', async () => {
    const world = await flipped();
    status = 502;
    const split = world.split('flip');
    const lost = await world.sample(world.samplingInput(split, { forMs: 130_000, flags: [] }));
    expect(lost).toMatchObject({
      reason: 'evidence-state',
      evidence: 'ok',
      flags: ['no-way-back: upstream old does not answer'],
    });
    const told = await world.sample(world.samplingInput(split, { forMs: 20_000, flags: lost.flags }));
    expect(told.reason).toBe('scheduled');
  });

  it('an upstream that answers 404 is there', async () => {
    const world = await flipped();
    status = 404;
    const result = await world.sample(world.samplingInput(world.split('flip'), { forMs: 20_000, flags: [] }));
    expect(result.flags).toEqual([]);
  });
});

it('before the flip nobody probes: stable serves users', async () => {
  const world = await flipped('canary-50');
  await world.sample(world.samplingInput(world.split('canary-50'), { forMs: 5_000 }));
  expect(asked).toEqual([]);
});

it('a shadow whose mirrored requests never arrive is flagged', async () => {
  const world = await flipped('shadow');
  world.router.mirror = { chosen: 19, dropped: 0, answered: 0 };
  world.clock.at(4_000, () => {
    world.router.mirror = { chosen: 20, dropped: 0, answered: 0 };
  });
  const result = await world.sample(world.samplingInput(world.split('shadow'), { flags: [] }));
  expect(result.flags).toEqual(['mirror-not-arriving: requests are chosen to be mirrored and none is answered']);
  expect(world.clock.elapsedMs).toBe(4_000);
});
