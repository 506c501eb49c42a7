import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { deferred } from './helpers/deferred.js';
import {
  allOn,
  canarySplit,
  chat,
  jsonOf,
  putSplit,
  readEvidence,
  recordsOf,
  ROUTE,
  shadowSplit,
  startFixture,
} from './helpers/router-fixture.js';
import type { FixtureOptions, RouterFixture } from './helpers/router-fixture.js';
import { answerStatus, chatBody, sendJson, startUpstream } from './helpers/upstream-server.js';
import type { Behaviour, TestUpstream } from './helpers/upstream-server.js';

interface Shadow extends RouterFixture {
  readonly old: TestUpstream;
  readonly fresh: TestUpstream;
}

async function shadow(split = shadowSplit(), limits: FixtureOptions['limits'] = {}): Promise<Shadow> {
  const [old, fresh] = await Promise.all([startUpstream('old'), startUpstream('new')]);
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url }, limits });
  await putSplit(fixture.router, split);
  return { ...fixture, old, fresh };
}

const asUser = (user: string) => ({ headers: { 'x-user-id': user } });

/** Reads evidence until every start of both variants has ended: nothing tells a client when its mirror is done. */
async function settledPage(
  fixture: RouterFixture,
  answered: number,
): Promise<Awaited<ReturnType<typeof readEvidence>>> {
  for (;;) {
    const page = await readEvidence(fixture.router);
    if (page.open.mirror.answered + page.open.recent.candidate.failed >= answered) return page;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a mirrored request', () => {
  test('reaches the candidate as the user sent it, and both sides count as a pair', async () => {
    const fixture = await shadow();
    const mirrored = fixture.fresh.next();
    const body = { model: ROUTE, store: true, messages: [{ role: 'user', content: 'hello' }] };
    const answer = await chat(fixture.router, { body });
    expect(jsonOf(answer.text)).toMatchObject({ choices: [{ message: { content: 'old' } }] });
    expect(answer.headers['x-sluice-variant']).toBe('stable');
    expect(jsonOf((await mirrored).body)).toEqual({ ...body, model: 'new-model', store: false });
    expect(jsonOf(fixture.old.seen[0]?.body ?? '')).toEqual({ ...body, model: 'old-model' });
    await settledPage(fixture, 1);
    fixture.clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    expect(page.records.map(({ stratum, variant, completed }) => [stratum, variant, completed])).toEqual([
      ['paired', 'stable', 1],
      ['paired', 'candidate', 1],
    ]);
    expect(page.open.mirror).toEqual({ chosen: 1, dropped: 0, answered: 1 });
  });

  test.each<[string, Behaviour | 'gone', object]>([
    ['fails', answerStatus(500), { model: 1 }],
    ['answers garbage', (_request, response) => void response.end('<'), { broken: 1 }],
    ['cannot be reached', 'gone', { connect: 1 }],
  ])('that %s fails nobody, and counts', async (_name, behaviour, classes) => {
    const fixture = await shadow();
    if (behaviour === 'gone') await fixture.fresh.close();
    else fixture.fresh.behave(behaviour);
    const answers = await Promise.all(Array.from({ length: 5 }, () => chat(fixture.router)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await settledPage(fixture, 5);
    fixture.clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    expect(recordsOf(page, 'paired', 'stable')[0]).toMatchObject({ completed: 5, error: { trials: 5, events: 0 } });
    const [candidate] = recordsOf(page, 'paired', 'candidate');
    expect(candidate).toMatchObject({ completed: 5, error: { trials: 5, events: 5 } });
    expect(Object.keys(candidate?.errorsByClass ?? {})).toEqual(Object.keys(classes));
  });

  test('that hangs holds no user up, and is failed for the hard stop long before its timeout', async () => {
    const fixture = await shadow(shadowSplit({ metering: { ...canarySplit().metering, requestTimeoutMs: 600_000 } }));
    fixture.fresh.behave(() => undefined);
    const arrived = fixture.fresh.next();
    for (let count = 0; count < 20; count += 1) expect((await chat(fixture.router)).status).toBe(200);
    await arrived;
    fixture.clock.advance(4_000);
    const none = (await readEvidence(fixture.router)).open.recent;
    expect(none).toEqual({ stable: { started: 20, failed: 0 }, candidate: { started: 20, failed: 0 } });
    fixture.clock.advance(3_000);
    const overdue = (await readEvidence(fixture.router)).open.recent;
    expect(overdue).toEqual({ stable: { started: 20, failed: 0 }, candidate: { started: 20, failed: 20 } });
    // Their interval waits for them: a candidate that hangs is not simply missing from the evidence.
    expect((await readEvidence(fixture.router)).records).toEqual([]);
  });

  test('is read to its end, and so is its twin, although the client has gone', async () => {
    const fixture = await shadow();
    const finish = deferred<void>();
    const begun = deferred<void>();
    fixture.old.behave(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      begun.resolve();
      await finish.promise;
      response.end(JSON.stringify(chatBody('late')));
    });
    const abort = new AbortController();
    const asking = request(`${fixture.router.publicUrl}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: ROUTE }),
      signal: abort.signal,
    });
    await begun.promise;
    abort.abort();
    await expect(asking).rejects.toThrow('aborted');
    finish.resolve();
    await settledPage(fixture, 1);
    await fixture.router.drain();
    const next = await startFixture({
      urls: { old: fixture.old.url, new: fixture.fresh.url },
      stateDirectory: fixture.stateDirectory,
      clock: fixture.clock,
    });
    const page = await readEvidence(next.router);
    expect(
      page.records.map(({ variant, completed, aborted, tokens }) => [variant, completed, aborted, tokens.completion]),
    ).toEqual([
      ['stable', 1, 0, 20],
      ['candidate', 1, 0, 20],
    ]);
  });
});

describe('who is mirrored', () => {
  test('is sampled by unit: all requests of a unit or none, and only pairs are in their stratum', async () => {
    const fixture = await shadow(shadowSplit({ mirror: { variant: 'candidate', share: 0.5 } }));
    const users = Array.from({ length: 40 }, (_, index) => `u-${index}`);
    const bodyOf = (user: string) => ({ ...asUser(user), body: { model: ROUTE, user } });
    for (const user of [...users, ...users]) await chat(fixture.router, bodyOf(user));
    const page = await settledPage(fixture, (await readEvidence(fixture.router)).open.mirror.chosen);
    const counts = new Map<string, number>();
    for (const { body } of fixture.fresh.seen) {
      const { user } = jsonOf<{ user: string }>(body);
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    expect([...new Set(counts.values())]).toEqual([2]);
    expect(counts.size).toBeGreaterThan(8);
    expect(counts.size).toBeLessThan(32);
    expect(page.open.mirror.chosen).toBe(2 * counts.size);
    fixture.clock.advance(1_000);
    const { records } = await readEvidence(fixture.router);
    expect(records.map(({ stratum, variant, started }) => [stratum, variant, started])).toEqual([
      ['paired', 'stable', 2 * counts.size],
      ['paired', 'candidate', 2 * counts.size],
      ['served', 'stable', 80 - 2 * counts.size],
    ]);
  });

  test('beyond the bound on concurrency nobody is, which is counted and leaves no lone half', async () => {
    const fixture = await shadow(shadowSplit(), { mirror: { concurrency: 2, tokensPerHour: null } });
    const release = deferred<void>();
    fixture.fresh.behave(async (_request, response) => {
      await release.promise;
      sendJson(response, 200, chatBody('new'));
    });
    for (let count = 0; count < 5; count += 1) expect((await chat(fixture.router)).status).toBe(200);
    release.resolve();
    const page = await settledPage(fixture, 2);
    expect(page.open.mirror).toEqual({ chosen: 5, dropped: 3, answered: 2 });
    fixture.clock.advance(1_000);
    const { records } = await readEvidence(fixture.router);
    expect(records.map(({ stratum, variant, started, dropped }) => [stratum, variant, started, dropped])).toEqual([
      ['paired', 'stable', 2, {}],
      ['paired', 'candidate', 2, { concurrency: 3 }],
      ['served', 'stable', 3, {}],
    ]);
    // Dropped before anything was sent: what is missing does not depend on how it would have ended.
    expect(records.map(({ incomplete }) => incomplete)).toEqual([false, false, false]);
  });

  test('a budget of tokens ends mirroring for the hour', async () => {
    const lease = { seconds: 7_200, onExpiry: 'stable' } as const;
    const fixture = await shadow(shadowSplit({ lease }), { mirror: { concurrency: 8, tokensPerHour: 200 } });
    for (let count = 1; count <= 4; count += 1) {
      await chat(fixture.router);
      // 120 tokens each, known when it has been answered.
      await settledPage(fixture, Math.min(count, 2));
    }
    expect(fixture.fresh.seen).toHaveLength(2);
    fixture.clock.advance(3_600_000);
    const again = fixture.fresh.next();
    await chat(fixture.router);
    await again;
    expect(fixture.fresh.seen).toHaveLength(3);
  });

  test('after the flip stable gets the copies, and the candidate counts by everything it serves', async () => {
    const flip = allOn('candidate', { mirror: { variant: 'stable', share: 0.5 } });
    const fixture = await shadow(flip);
    const users = Array.from({ length: 30 }, (_, index) => `u-${index}`);
    for (const user of users)
      expect((await chat(fixture.router, asUser(user))).headers['x-sluice-variant']).toBe('candidate');
    await settledPage(fixture, (await readEvidence(fixture.router)).open.mirror.chosen);
    const { open } = await readEvidence(fixture.router);
    expect(open.recent.candidate.started).toBe(30);
    expect(open.recent.stable.started).toBe(open.mirror.chosen);
    fixture.clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    expect(recordsOf(page, 'paired', 'stable')[0]?.started).toBe(open.mirror.chosen);
    expect(recordsOf(page, 'paired', 'candidate')[0]?.started).toBe(open.mirror.chosen);
    expect(recordsOf(page, 'served', 'candidate')[0]?.started).toBe(30 - open.mirror.chosen);
    expect(recordsOf(page, 'served', 'stable')).toEqual([]);
  });

  test.each([
    ['quotes an earlier response', { previous_response_id: 'resp_1' }],
    ['answers in the background', { background: true }],
  ])('a request that %s never is, and counts nowhere', async (_name, extra) => {
    const fixture = await shadow();
    const answer = await chat(fixture.router, { path: '/v1/responses', body: { model: ROUTE, input: 'hi', ...extra } });
    expect(answer.status).toBe(200);
    fixture.clock.advance(1_000);
    expect((await readEvidence(fixture.router)).records).toEqual([]);
    expect(fixture.fresh.seen).toHaveLength(0);
  });
});
