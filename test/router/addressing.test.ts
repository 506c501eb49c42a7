import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { applyEdits } from '../../src/router/body/edits.js';
import { formBoundary, formModels } from '../../src/router/body/form-models.js';
import {
  allOn,
  chat,
  putSplit,
  readEvidence,
  recordsOf,
  ROUTE,
  shadowSplit,
  startFixture,
} from './helpers/router-fixture.js';
import { chatBody, sendJson, startUpstream } from './helpers/upstream-server.js';

const HEADER = { 'x-sluice-route': ROUTE };

describe('evidence of what cannot be read', () => {
  test('is kept, but no copy of it is mirrored: nobody could say what a copy leaves behind', async () => {
    const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
    const { router, clock } = await startFixture({ urls: { old: old.url, new: fresh.url } });
    await putSplit(router, shadowSplit());
    const body = gzipSync('{"model":"whatever","store":true}').toString('latin1');
    await chat(router, { body, headers: { ...HEADER, 'content-encoding': 'gzip' } });
    await chat(router, { body: { model: ROUTE } });
    if (fresh.seen.length === 0) await fresh.next();
    clock.advance(1_000);
    const page = await readEvidence(router);
    expect(recordsOf(page, 'served', 'stable')).toMatchObject([{ started: 1 }]);
    expect(recordsOf(page, 'paired', 'candidate')).toMatchObject([{ started: 1 }]);
    expect(fresh.seen).toHaveLength(1);
  });

  test('of files there is none, and they stay with stable', async () => {
    const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
    const { router, clock } = await startFixture({ urls: { old: old.url, new: fresh.url } });
    await putSplit(router, allOn('candidate'));
    const answer = await chat(router, { path: '/v1/files', body: 'content', headers: HEADER });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-sluice-variant': 'stable' } });
    clock.advance(1_000);
    expect((await readEvidence(router)).records).toEqual([]);
    expect([old.seen.length, fresh.seen.length]).toEqual([1, 0]);
  });

  test('a second attempt serves the client; the first is what counts, once', async () => {
    const gone = await startUpstream();
    await gone.close();
    const port = Number(new URL(gone.url).port);
    const { router, clock } = await startFixture({ urls: { old: gone.url, new: gone.url } });
    await putSplit(router, allOn('candidate'));
    const late = createServer((_request, response) => sendJson(response, 200, chatBody('late')));
    onTestFinished(() => {
      late.close();
      late.closeAllConnections();
    });
    const channel = 'undici:client:connectError';
    const comesUp = (): void => {
      unsubscribe(channel, comesUp);
      late.listen(port, '127.0.0.1');
    };
    subscribe(channel, comesUp);
    const answer = await chat(router);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-sluice-variant': 'candidate' } });
    expect(answer.text).toContain('late');
    clock.advance(1_000);
    expect(recordsOf(await readEvidence(router), 'served', 'candidate')).toMatchObject([
      {
        started: 1,
        completed: 1,
        error: { trials: 1, events: 1 },
        errorsByClass: { connect: 1 },
        tokens: { responses: 0 },
      },
    ]);
  });
});

describe('the models of a form', () => {
  const content = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  const name = fc.constantFrom('model', 'file', 'models', 'xmodel', 'prompt');

  test('are found and nothing else, whatever the other parts hold', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name, content, isFile: fc.boolean() }), { maxLength: 8 }), (parts) => {
        const boundary = 'q7-not-in-the-content';
        const build = (value: (part: (typeof parts)[number]) => Buffer): Buffer =>
          Buffer.concat([
            ...parts.flatMap((part) => [
              Buffer.from(
                `--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"${part.isFile ? '; filename="f"' : ''}\r\n\r\n`,
              ),
              value(part),
              Buffer.from('\r\n'),
            ]),
            Buffer.from(`--${boundary}--\r\n`),
          ]);
        const bytes = build((part) => part.content);
        const spans = formModels(bytes, boundary);
        const rewritten = applyEdits(
          bytes,
          spans.map((span) => ({ ...span, text: 'new' })),
        );
        expect(rewritten).toEqual(
          build((part) => (part.name === 'model' && !part.isFile ? Buffer.from('new') : part.content)),
        );
      }),
    );
  });

  test('of bytes that are no form are none, and it takes no time to find out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(formModels(Buffer.from(bytes), 'b')).toEqual([]);
      }),
    );
  });

  test.each([
    ['multipart/form-data; boundary=a', 'a'],
    ['Multipart/Form-Data;charset=utf-8;boundary="a b"', 'a b'],
    ['multipart/form-data', null],
    ['multipart/mixed; boundary=a', null],
    ['application/json; x="multipart/form-data; boundary=a"', null],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, null],
    [undefined, null],
  ])('%s has the boundary %s', (contentType, boundary) => {
    expect(formBoundary(contentType)).toBe(boundary);
  });
});
