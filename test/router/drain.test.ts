import { Agent, request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deferred } from './helpers/deferred.js';
import { allOn, putSplit, readEvidence, ROUTE, shadowSplit, startFixture } from './helpers/router-fixture.js';
import { chatBody, sendJson, startUpstream } from './helpers/upstream-server.js';

const BODY = JSON.stringify({ model: ROUTE, messages: [] });

async function isListening(url: string): Promise<boolean> {
  try {
    const { body } = await request(`${url}/healthz`);
    await body.dump();
    return true;
  } catch {
    return false;
  }
}

describe('draining', () => {
  test('under load fails no request, and every one of them is evidence for the next process', async () => {
    const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
    const urls = { old: old.url, new: fresh.url };
    // Answers take a moment, so that requests are always under way.
    for (const upstream of [old, fresh]) {
      upstream.behave((_request, response) => void setTimeout(() => sendJson(response, 200, chatBody('x')), 15));
    }
    const fixture = await startFixture({ urls });
    await putSplit(fixture.router, shadowSplit());
    const agent = new Agent({ connections: 16 });
    onTestFinished(() => agent.close());
    const { publicUrl } = fixture.router;
    let ready = true;
    const statuses: number[] = [];
    // Like a load balancer, clients send as long as the router says that it is ready.
    const client = async (): Promise<void> => {
      while (ready) {
        const answer = await request(`${publicUrl}/v1/chat/completions`, {
          method: 'POST',
          body: BODY,
          dispatcher: agent,
        });
        await answer.body.text();
        statuses.push(answer.statusCode);
        const probe = await request(`${publicUrl}/readyz`, { dispatcher: agent });
        await probe.body.dump();
        ready &&= probe.statusCode === 200;
      }
    };
    const clients = Array.from({ length: 12 }, client);
    while (statuses.length < 60) await new Promise((resolve) => setImmediate(resolve));
    await fixture.router.drain(Promise.all(clients));
    expect(statuses.every((status) => status === 200)).toBe(true);
    await expect(request(`${publicUrl}/healthz`)).rejects.toThrow(/ECONNREFUSED/);
    const next = await startFixture({ urls, stateDirectory: fixture.stateDirectory, clock: fixture.clock });
    const { records } = await readEvidence(next.router);
    expect(records.map(({ stratum, variant, started, completed }) => [stratum, variant, started, completed])).toEqual([
      ['paired', 'stable', statuses.length, statuses.length],
      ['paired', 'candidate', statuses.length, statuses.length],
    ]);
  });

  test('waits for the slowest answer, and says meanwhile that it is not ready', async () => {
    const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
    const release = deferred<void>();
    const arrived = fresh.next();
    fresh.behave(async (_request, response) => {
      await release.promise;
      sendJson(response, 200, chatBody('slow'));
    });
    const fixture = await startFixture({ urls: { old: old.url, new: fresh.url } });
    await putSplit(fixture.router, allOn('candidate'));
    const asked = request(`${fixture.router.publicUrl}/v1/chat/completions`, { method: 'POST', body: BODY });
    await arrived;
    let done = false;
    const turnedAway = deferred<void>();
    const drained = fixture.router.drain(turnedAway.promise).then(() => {
      done = true;
    });
    const probe = await request(`${fixture.router.publicUrl}/readyz`);
    expect([probe.statusCode, await probe.body.text()]).toEqual([
      503,
      '{"ready":false,"reasons":["the router is draining"]}',
    ]);
    turnedAway.resolve();
    while (await isListening(fixture.router.publicUrl)) await new Promise((resolve) => setImmediate(resolve));
    // Nobody is let in any more, and the one who is inside is waited for.
    expect(done).toBe(false);
    release.resolve();
    const answer = await asked;
    expect([answer.statusCode, answer.headers['connection']]).toEqual([200, 'close']);
    expect(await answer.body.json()).toMatchObject({ choices: [{ message: { content: 'slow' } }] });
    await drained;
  });
});
