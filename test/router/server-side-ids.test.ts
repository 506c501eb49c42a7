import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import {
  allOn,
  canarySplit,
  chat,
  jsonOf,
  putSplit,
  readEvidence,
  restingSplit,
  ROUTE,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { sendJson, startUpstream } from './helpers/upstream-server.js';
import type { TestUpstream } from './helpers/upstream-server.js';

type Running = RouterFixture & { readonly old: TestUpstream; readonly fresh: TestUpstream };

/** Two upstreams that keep responses: `old-1`, `new-1`, … */
async function start(): Promise<Running> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  for (const [name, upstream] of Object.entries({ old, new: fresh })) {
    upstream.behave(({ url }, response) =>
      sendJson(response, 200, { id: `${name}-${upstream.seen.length}`, url, output: [] }),
    );
  }
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url } });
  await putSplit(fixture.router, allOn('candidate'));
  return { ...fixture, old, fresh };
}

const respond = ({ router }: Running, extra: object = {}) =>
  chat(router, { path: '/v1/responses', body: { model: ROUTE, input: 'hi', ...extra } });
const idOf = (answer: { readonly text: string }): string => jsonOf<{ id: string }>(answer.text).id;

describe('an id that an upstream issued', () => {
  test('leads back to it, whatever the split says by then, and counts nowhere', async () => {
    const fixture = await start();
    const first = idOf(await respond(fixture));
    expect(first).toBe('new-1');
    await putSplit(fixture.router, allOn('stable', { generation: 2 }));
    expect(idOf(await respond(fixture))).toBe('old-1');
    const follow = await respond(fixture, { previous_response_id: first });
    expect(idOf(follow)).toBe('new-2');
    expect(follow.headers['x-sluice-variant']).toBe('candidate');
    expect(idOf(await respond(fixture, { previous_response_id: 'old-1' }))).toBe('old-2');
    fixture.clock.advance(1_000);
    expect((await readEvidence(fixture.router)).records.map(({ variant, started }) => [variant, started])).toEqual([
      ['candidate', 1],
      ['stable', 1],
    ]);
    await putSplit(fixture.router, restingSplit('old', { generation: 3 }));
    expect(idOf(await respond(fixture, { previous_response_id: first }))).toBe('new-3');
  });

  test('that nobody remembers goes where its unit is served; a file goes to stable', async () => {
    const fixture = await start();
    await putSplit(fixture.router, canarySplit({ generation: 2, weights: { stable: 0, candidate: 1 } }));
    expect(idOf(await respond(fixture, { previous_response_id: 'resp_elsewhere' }))).toMatch(/^new/);
    const input = [{ content: [{ type: 'input_file', file_id: 'file-1' }] }];
    expect(idOf(await respond(fixture, { input }))).toMatch(/^old/);
  });

  test('is found by its path, and an unknown one is said to be so', async () => {
    const fixture = await start();
    const id = idOf(await respond(fixture));
    const url = `${fixture.router.publicUrl}/v1/responses/${id}?include=x`;
    const found = await request(url);
    expect([found.statusCode, jsonOf<{ url: string }>(await found.body.text()).url]).toEqual([
      200,
      `/v1/responses/${id}?include=x`,
    ]);
    const removed = await request(url, { method: 'DELETE' });
    await removed.body.dump();
    expect(fixture.fresh.seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'DELETE']);
    const unknown = await request(`${fixture.router.publicUrl}/v1/responses/resp_x`);
    expect(unknown.statusCode).toBe(404);
    expect(jsonOf(await unknown.body.text())).toMatchObject({ error: { code: 'id-unknown' } });
  });
});
