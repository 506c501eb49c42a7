import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { UpstreamConfig } from '../../../src/plan/config.js';
import { deferred } from '../helpers/deferred.js';
import { temporaryDirectory } from '../helpers/router-fixture.js';
import type { ConfigChange } from '../helpers/router-fixture.js';
import { jsonAnswer, JSON_ANSWER, says, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { classesOf } from './metrics-reading.js';
import { selfSigned } from './self-signed.js';

/** Both upstreams, so that it is one whatever the split says. */
function settingUpstreams(change: Partial<UpstreamConfig>): ConfigChange {
  return (config) => ({
    ...config,
    upstreams: new Map([...config.upstreams].map(([name, upstream]) => [name, { ...upstream, ...change }])),
  });
}

async function start(change: Partial<UpstreamConfig>): Promise<Harness> {
  const harness = await startHarness(settingUpstreams(change));
  onTestFinished(() => harness.close());
  return harness;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function chat({ router }: Harness, body = '{"model":"support"}'): Promise<Answer> {
  const answer = await request(`${router.publicUrl}/v1/chat/completions`, { method: 'POST', body });
  return { status: answer.statusCode, text: await answer.body.text() };
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  if (!server.listening) await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

describe('an upstream behind TLS', () => {
  type Take = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

  async function secure(take: Take, http2 = true): Promise<{ url: string; caFile: string }> {
    const identity = selfSigned();
    const server = http2
      ? createSecureServer({ ...identity, allowHTTP1: true }, take)
      : createTlsServer(identity, (incoming, response) => {
          incoming.resume();
          incoming.once('end', () => response.setHeader('x-version', incoming.httpVersion).end(JSON_ANSWER));
        });
    const port = await listening(server);
    const caFile = path.join(await temporaryDirectory(), 'ca.pem');
    await writeFile(caFile, identity.cert);
    return { url: `https://127.0.0.1:${port}/v1`, caFile };
  }

  const answering: Take = (incoming, response) => {
    incoming.resume();
    incoming.once('end', () => {
      response.setHeader('content-type', 'application/json');
      response.setHeader('x-version', incoming.httpVersion);
      response.end(JSON_ANSWER);
    });
  };

  test('is reached when its authority is named, and not otherwise', async () => {
    const { url, caFile } = await secure(answering);
    expect(await chat(await start({ url, caFile }))).toEqual({ status: 200, text: JSON_ANSWER });
    const stranger = await chat(await start({ url }));
    expect(stranger.status).toBe(502);
    expect(stranger.text).toContain('upstream-connect');
  });

  test('is not reached by an authority of another', async () => {
    const { url } = await secure(answering);
    const { caFile } = await secure(answering);
    expect((await chat(await start({ url, caFile }))).status).toBe(502);
  });

  test.each([
    ['HTTP/1.1 unless HTTP/2 is wanted', false, true, '1.1'],
    ['HTTP/2 where both want it', true, true, '2.0'],
    ['HTTP/1.1 where the upstream has no other', true, false, '1.1'],
  ])('speaks %s', async (_name, wanted, offered, version) => {
    const { url, caFile } = await secure(answering, offered);
    const harness = await start({ url, caFile, http2: wanted });
    const answers = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const answer = await request(`${harness.router.publicUrl}/v1/chat/completions`, {
          method: 'POST',
          body: '{"model":"support"}',
        });
        return { version: answer.headers['x-version'], text: await answer.body.text() };
      }),
    );
    for (const answer of answers) expect(answer).toEqual({ version, text: JSON_ANSWER });
  });

  test('streams over HTTP/2, and hears of a client that goes', async () => {
    const gone = deferred<string>();
    const { url, caFile } = await secure((incoming, response) => {
      incoming.resume();
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: {"choices":[]}\n\n');
      response.once('close', () => gone.resolve('closed'));
    });
    const harness = await start({ url, caFile, http2: true });
    const abort = new AbortController();
    const answer = await request(`${harness.router.publicUrl}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"support","stream":true}',
      signal: abort.signal,
    });
    answer.body.on('error', () => undefined);
    await once(answer.body, 'readable');
    abort.abort();
    expect(await gone.promise).toBe('closed');
  });

  test.each([
    ['is not there', null, /cannot be read/],
    ['is no certificate', 'nonsense', /is no certificate/],
  ])('whose file of certificates %s stops the start', async (_name, content, message) => {
    const caFile = path.join(await temporaryDirectory(), 'ca.pem');
    if (content !== null) await writeFile(caFile, content);
    await expect(startHarness(settingUpstreams({ url: 'https://127.0.0.1:1/v1', caFile }))).rejects.toThrow(message);
  });
});

describe('an upstream’s own time limit', () => {
  test('ends its answers before the route’s does, as a timeout', async () => {
    const harness = await start({ timeoutMs: 60 });
    harness.upstream.script(() => undefined);
    let answer: Answer | undefined;
    const counted = await classesOf(harness.router, async () => {
      answer = await chat(harness);
    });
    expect(answer?.status).toBe(504);
    expect(answer?.text).toContain('upstream-timeout');
    expect(counted).toEqual({ timeout: 1 });
  });

  test('leaves those alone that are in time', async () => {
    const harness = await start({ timeoutMs: 20_000 });
    harness.upstream.script(says(jsonAnswer()));
    expect((await chat(harness)).status).toBe(200);
  });
});

describe('a connection that never stood', () => {
  /** A port that was free a moment ago. */
  async function freePort(): Promise<number> {
    const server = createServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    return port;
  }

  test('is tried once more; the client has its answer, and the first attempt counts', async () => {
    const port = await freePort();
    const harness = await start({ url: `http://127.0.0.1:${port}/v1` });
    const late = createServer((_request, response) => response.end(JSON_ANSWER));
    const channel = 'undici:client:connectError';
    const comesUp = (): void => {
      unsubscribe(channel, comesUp);
      void listening(late, port);
    };
    subscribe(channel, comesUp);
    let answer: Answer | undefined;
    const counted = await classesOf(harness.router, async () => {
      answer = await chat(harness);
    });
    expect(answer).toEqual({ status: 200, text: JSON_ANSWER });
    expect(counted).toEqual({ connect: 1 });
  });

  test('is tried no third time', async () => {
    const harness = await start({ url: `http://127.0.0.1:${await freePort()}/v1` });
    let attempts = 0;
    const count = (): void => {
      attempts += 1;
    };
    subscribe('undici:client:connectError', count);
    onTestFinished(() => void unsubscribe('undici:client:connectError', count));
    const counted = await classesOf(harness.router, async () => {
      expect((await chat(harness)).text).toContain('upstream-connect');
    });
    expect(counted).toEqual({ connect: 1 });
    expect(attempts).toBe(2);
  });

  test('is another matter than one that broke: what may have arrived is never sent again', async () => {
    const harness = await start({});
    harness.upstream.script(({ socket }) => socket.destroy());
    expect((await chat(harness)).status).toBe(502);
    expect(harness.upstream.seen).toHaveLength(1);
  });
});
