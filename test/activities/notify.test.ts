import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NotifyInput } from '../../activities/types.js';
import { stageName } from '../../src/plan/ids.js';
import { closeWorlds, ROLLOUT, ROUTE, TestWorld } from './harness.js';

let world: TestWorld;
let server: Server;
let url: string;
let got: { path: string; body: unknown }[];

beforeEach(async () => {
  got = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      got.push({ path: request.url ?? '', body });
      response.writeHead(request.url === '/broken/secret-path' ? 500 : 200);
      response.end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${bound.port}`;
  world = await TestWorld.create({
    config: `
webhooks:
  plain: { url: "${url}/plain" }
  chat: { urlEnv: CHAT_WEBHOOK, format: slack }
  broken: { urlEnv: BROKEN_WEBHOOK }
  gone: { url: "http://127.0.0.1:1/secret-path" }
  unset: { urlEnv: NOT_SET }
`,
  });
  world.env['CHAT_WEBHOOK'] = `${url}/chat`;
  world.env['BROKEN_WEBHOOK'] = `${url}/broken/secret-path`;
});

afterEach(async () => {
  await closeWorlds();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const input = (webhooks: readonly string[]): NotifyInput => ({
  rollout: ROLLOUT,
  route: ROUTE,
  webhooks,
  event: 'rolled-back',
  stage: stageName('canary-50'),
  text: 'errors 9% & rising: candidate > stable',
});

it('tells a plain webhook in JSON and a chat in its own words', async () => {
  const result = await world.call((worker) => worker.notify(input(['plain', 'chat'])));
  expect(result).toEqual({ delivered: ['chat', 'plain'], failed: [] });
  expect(got.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
    {
      path: '/chat',
      body: { text: '*support* rolled-back (canary-50): errors 9% &amp; rising: candidate &gt; stable' },
    },
    {
      path: '/plain',
      body: {
        event: 'rolled-back',
        route: 'support',
        rollout: ROLLOUT,
        stage: 'canary-50',
        text: 'errors 9% & rising: candidate > stable',
        at: '2026-11-24T09:00:00.000Z',
      },
    },
  ]);
});

it('says which webhooks failed, never throws, and keeps their URLs to itself', async () => {
  const result = await world.call((worker) => worker.notify(input(['broken', 'gone', 'unset', 'absent', 'plain'])));
  expect(result).toEqual({ delivered: ['plain'], failed: ['absent', 'broken', 'gone', 'unset'] });
  const told = world.warnings.join('\n');
  expect(told).toContain('webhook "broken" did not take "rolled-back": status 500');
  expect(told).toContain('NOT_SET');
  expect(told).not.toContain('secret-path');
});

it('does nothing where nothing is asked for', async () => {
  await expect(world.call((worker) => worker.notify(input([])))).resolves.toEqual({ delivered: [], failed: [] });
});
