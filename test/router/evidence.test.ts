import { describe, expect, test } from 'vitest';
import { evidenceRecordSchema } from '../../src/backends/evidence-schemas.js';
import type { EvidencePage } from '../../src/evidence/record.js';
import {
  admin,
  allOn,
  canarySplit,
  chat,
  OTHER_ROLLOUT,
  putSplit,
  readEvidence,
  readSplit,
  restingSplit,
  ROLLOUT,
  ROUTE,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { answerStatus, startUpstream } from './helpers/upstream-server.js';
import type { TestUpstream } from './helpers/upstream-server.js';

type Running = RouterFixture & { readonly old: TestUpstream; readonly fresh: TestUpstream };

async function start(): Promise<Running> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url } });
  await putSplit(fixture.router, allOn('candidate'));
  return { ...fixture, old, fresh };
}

/** One interval with one request. */
async function oneInterval(fixture: RouterFixture): Promise<void> {
  await chat(fixture.router);
  fixture.clock.advance(1_000);
}

const acknowledge = ({ router }: RouterFixture, cursor: string) =>
  admin<{ acknowledged: boolean }>(router, 'POST', `${ROUTE}/evidence/ack`, { cursor });
const starts = (page: EvidencePage) => page.records.map(({ intervalStart }) => intervalStart);

describe('evidence', () => {
  test('of a canary says what happened on each side, and passes the collector’s own checks', async () => {
    const fixture = await start();
    const { router, clock, old, fresh } = fixture;
    await putSplit(router, canarySplit({ generation: 2, weights: { stable: 0.5, candidate: 0.5 } }));
    fresh.behave(answerStatus(500));
    const users = Array.from({ length: 40 }, (_, index) => `u-${index}`);
    const answers = await Promise.all(users.map((user) => chat(router, { headers: { 'x-user-id': user } })));
    clock.advance(1_000);
    const page = await readEvidence(router);
    for (const record of page.records) expect(evidenceRecordSchema.parse(record)).toEqual(record);
    const candidates = answers.filter(({ headers }) => headers['x-sluice-variant'] === 'candidate').length;
    expect(candidates).toBe(fresh.seen.length);
    expect(page.records).toHaveLength(2);
    expect(page.records[0]).toMatchObject({
      rollout: ROLLOUT,
      generation: 2,
      stage: 'canary-25',
      stratum: 'served',
      variant: 'stable',
      replica: 'replica-1',
      process: router.process,
      revision: 1,
      started: old.seen.length,
      completed: old.seen.length,
      error: { trials: old.seen.length, events: 0 },
      refusal: { trials: old.seen.length, events: 0 },
      tokens: {
        prompt: 100 * old.seen.length,
        cached: 80 * old.seen.length,
        completion: 20 * old.seen.length,
        responses: old.seen.length,
      },
    });
    expect(page.records[1]).toMatchObject({
      variant: 'candidate',
      errorsByClass: { model: candidates },
      tokens: { responses: 0 },
    });
    expect(page.open).toMatchObject({
      generation: 2,
      inForce: true,
      recent: { candidate: { started: candidates, failed: candidates } },
    });
  });

  test('is not there before its interval is over, and says how far it reaches', async () => {
    const fixture = await start();
    await chat(fixture.router);
    const before = await readEvidence(fixture.router);
    expect(before.records).toEqual([]);
    expect(before.closedThrough).toBe(before.now);
    fixture.clock.advance(999);
    expect((await readEvidence(fixture.router)).records).toEqual([]);
    fixture.clock.advance(1);
    const after = await readEvidence(fixture.router);
    expect(after.records).toHaveLength(1);
    expect(after.closedThrough).toBe(after.now);
  });

  test('of a resting route is none, and stable’s last values seed the next rollout', async () => {
    const fixture = await start();
    const { router, clock, old } = fixture;
    await putSplit(router, restingSplit('old', { generation: 2 }));
    old.behave((_request, response) => {
      clock.advance(250);
      response.writeHead(200, { 'content-type': 'application/json' });
      const usage = { prompt_tokens: 5, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 2 } };
      response.end(JSON.stringify({ choices: [], usage }));
    });
    await chat(router);
    clock.advance(60_000);
    expect((await readEvidence(router)).records).toEqual([]);
    expect((await readSplit(router)).recent).toEqual({
      latencyMs: [250],
      ttftMs: [],
      completionTokens: [7],
      answered: { complete: 1, streams: 0, withCachedTokens: 1 },
    });
  });

  test('is given again until it is acknowledged, and then never again', async () => {
    const fixture = await start();
    await oneInterval(fixture);
    const first = await readEvidence(fixture.router);
    expect(await readEvidence(fixture.router)).toMatchObject({ records: first.records });
    expect((await readEvidence(fixture.router, first.cursor)).records).toEqual([]);
    await oneInterval(fixture);
    const second = await readEvidence(fixture.router, first.cursor);
    expect(starts(second)).toHaveLength(1);
    // Reading acknowledged nothing.
    expect(starts(await readEvidence(fixture.router))).toHaveLength(2);
    expect((await acknowledge(fixture, first.cursor)).body).toEqual({ acknowledged: true });
    expect(starts(await readEvidence(fixture.router))).toEqual(starts(second));
    await acknowledge(fixture, second.cursor);
    await acknowledge(fixture, first.cursor);
    expect((await readEvidence(fixture.router)).records).toEqual([]);
  });

  test.each(['nonsense', Buffer.from('other-process 1 support@x').toString('base64url')])(
    'restarts at the oldest for the unknown cursor %s, which acknowledges nothing',
    async (cursor) => {
      const fixture = await start();
      await oneInterval(fixture);
      expect((await acknowledge(fixture, cursor)).body).toEqual({ acknowledged: false });
      expect((await readEvidence(fixture.router, cursor)).records).toHaveLength(1);
    },
  );

  test('of one rollout is not touched by what is read and acknowledged of another', async () => {
    const fixture = await start();
    await oneInterval(fixture);
    await putSplit(fixture.router, allOn('candidate', { generation: 2, rollout: OTHER_ROLLOUT }), '?takeOver=test');
    await oneInterval(fixture);
    const theirs = await readEvidence(fixture.router, null, OTHER_ROLLOUT);
    expect(theirs.records.map(({ rollout }) => rollout)).toEqual([OTHER_ROLLOUT]);
    await acknowledge(fixture, theirs.cursor);
    expect((await readEvidence(fixture.router, theirs.cursor)).records.map(({ rollout }) => rollout)).toEqual([
      ROLLOUT,
    ]);
    expect((await readEvidence(fixture.router, null, OTHER_ROLLOUT)).records).toEqual([]);
  });

  test('that was closed outlives the process; what was open in it is gone', async () => {
    const fixture = await start();
    await oneInterval(fixture);
    await readEvidence(fixture.router);
    await chat(fixture.router);
    await fixture.router.close();
    const next = await startFixture({
      urls: { old: fixture.old.url, new: fixture.fresh.url },
      stateDirectory: fixture.stateDirectory,
      clock: fixture.clock,
    });
    await chat(next.router);
    fixture.clock.advance(1_000);
    const page = await readEvidence(next.router);
    expect(page.process).toBe(next.router.process);
    expect(page.records.map(({ process, started }) => [process, started])).toEqual([
      [fixture.router.process, 1],
      [next.router.process, 1],
    ]);
    await acknowledge(next, page.cursor);
    await next.router.close();
    const last = await startFixture({
      urls: { old: fixture.old.url, new: fixture.fresh.url },
      stateDirectory: fixture.stateDirectory,
      clock: fixture.clock,
    });
    expect((await readEvidence(last.router)).records).toEqual([]);
  });

  test('needs the rollout’s name', async () => {
    const { router } = await start();
    expect((await admin(router, 'GET', `${ROUTE}/evidence`)).status).toBe(400);
    expect((await admin(router, 'POST', `${ROUTE}/evidence/ack`, { wrong: 1 })).status).toBe(400);
  });
});
