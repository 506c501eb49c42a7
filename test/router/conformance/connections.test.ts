import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chunked, jsonAnswer, post, says, startHarness } from './harness.js';
import type { Harness, WireRequest } from './harness.js';
import { exchange, openSocket, parseAnswers, problemOf, readToClose } from './raw-client.js';

const LIMIT = 64 * 1024;
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness((config) => ({
    ...config,
    limits: { headerBytes: 8_192, bodyBytes: LIMIT, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 },
  }));
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.upstream.seen.length = 0;
  harness.upstream.script(says(jsonAnswer()));
});

function kept(user: string, end = ''): string {
  const body = `{"model":"support","user":"${user}"}`;
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: router\r\n${end}content-length: ${body.length}\r\n\r\n${body}`;
}

const CLOSE = 'connection: close\r\n';

/** Answers with the user that was asked for. */
function echo({ body, socket }: WireRequest): void {
  const user = /"user":"([^"]*)"/.exec(body.toString())?.[1] ?? '';
  socket.write(jsonAnswer(JSON.stringify({ user })));
}

describe('a connection', () => {
  test('is kept for the next request', async () => {
    harness.upstream.script(echo);
    const answers = await exchange(harness.router.publicUrl, [kept('a'), kept('b'), kept('c', CLOSE)]);
    expect(answers.map(({ body }) => body.toString())).toEqual(['{"user":"a"}', '{"user":"b"}', '{"user":"c"}']);
  });

  test('with requests one upon the other is answered in their order, whichever upstream is first', async () => {
    const waiting: WireRequest[] = [];
    harness.upstream.script((seen) => {
      waiting.push(seen);
      if (waiting.length === 3) for (const late of waiting.toReversed()) echo(late);
    });
    const answers = await exchange(harness.router.publicUrl, kept('a') + kept('b') + kept('c', CLOSE));
    expect(answers.map(({ body }) => body.toString())).toEqual(['{"user":"a"}', '{"user":"b"}', '{"user":"c"}']);
  });

  test('whose second request is garbage answers the first, then refuses', async () => {
    harness.upstream.script((seen) => setImmediate(() => echo(seen)));
    const answers = await exchange(harness.router.publicUrl, `${kept('a')}garbage\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers[0]?.body.toString()).toBe('{"user":"a"}');
    expect(problemOf(answers[1]).code).toBe('request-malformed');
  });

  test('whose second body breaks answers the first, then refuses', async () => {
    harness.upstream.script((seen) => setImmediate(() => echo(seen)));
    const broken = 'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n';
    const answers = await exchange(harness.router.publicUrl, kept('a') + broken);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  });

  test('of HTTP/1.0 ends after its answer', async () => {
    const answers = await exchange(harness.router.publicUrl, 'GET /v1/models HTTP/1.0\r\n\r\n');
    expect(answers[0]).toMatchObject({ status: 200, headers: { connection: 'close' } });
  });

  test.each([
    ['/v1/models', 200],
    ['/healthz', 200],
    ['/v1/nothing', 400],
  ])('answers HEAD %s without a body', async (target, status) => {
    const socket = await openSocket(harness.router.publicUrl);
    const reading = readToClose(socket);
    socket.write(`HEAD ${target} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n`);
    expect((await reading).toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\n\r\n$`));
  });

  test.each(['/v1/chat/completions', '*'])('answers OPTIONS %s with the methods, and goes on', async (target) => {
    const answers = await exchange(
      harness.router.publicUrl,
      `OPTIONS ${target} HTTP/1.1\r\nhost: r\r\n\r\nGET /healthz HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n`,
    );
    expect(answers.map(({ status }) => status)).toEqual([204, 200]);
    expect(answers[0]?.headers['allow']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  });
});

describe('Expect: 100-continue', () => {
  const expecting = (length: number, path = '/v1/chat/completions'): string =>
    `POST ${path} HTTP/1.1\r\nhost: r\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;

  test('is answered when the body is wanted', async () => {
    const body = '{"model":"support"}';
    const socket = await openSocket(harness.router.publicUrl);
    const reading = readToClose(socket);
    socket.write(expecting(body.length));
    await once(socket, 'data');
    expect(harness.upstream.seen).toEqual([]);
    socket.write(body);
    expect(parseAnswers(await reading).map(({ status }) => status)).toEqual([100, 200]);
    expect(harness.upstream.seen[0]?.head).not.toMatch(/expect/i);
  });

  test.each([
    ['a body that is too large', expecting(LIMIT + 1), 413],
    ['a path that is none', expecting(10, '/v2'), 404],
  ])('spares the client the sending of %s', async (_name, head, status) => {
    expect((await exchange(harness.router.publicUrl, head)).map((answer) => answer.status)).toEqual([status]);
  });
});

describe('a connection that was answered without its body', () => {
  test('ends: what comes next could be that body, or not', async () => {
    const expecting = 'POST /v2 HTTP/1.1\r\nhost: r\r\nexpect: 100-continue\r\ncontent-length: 500\r\n\r\n';
    const [answer, ...rest] = await exchange(harness.router.publicUrl, [expecting, kept('smuggled', CLOSE)]);
    expect(answer).toMatchObject({ status: 404, headers: { connection: 'close' } });
    expect(rest).toEqual([]);
    expect(harness.upstream.seen).toEqual([]);
  });
});

describe('a body beyond the limit', () => {
  const filler = 'x'.repeat(8_192);

  test('by its content-length is refused, whether or not it comes', async () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-length: ${LIMIT * 4}\r\n\r\n`;
    for (const pieces of [[head], [head, ...Array.from({ length: 32 }, () => filler)]]) {
      const answers = await exchange(harness.router.publicUrl, pieces);
      expect(answers.map(({ status }) => status)).toEqual([413]);
      expect(problemOf(answers[0])).toMatchObject({ code: 'body-too-large', type: 'invalid_request_error' });
      expect(answers[0]?.headers).toMatchObject({ connection: 'close' });
    }
    expect(harness.upstream.seen).toEqual([]);
  });

  test('in chunks is refused, and the client reads why', async () => {
    const chunk = `${filler.length.toString(16)}\r\n${filler}\r\n`;
    const answers = await exchange(harness.router.publicUrl, [
      'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ntransfer-encoding: chunked\r\n\r\n',
      ...Array.from({ length: 40 }, () => chunk),
      '0\r\n\r\n',
    ]);
    expect(answers.map(({ status }) => status)).toEqual([413]);
  });

  test('of exactly the limit passes', async () => {
    const body = `{"model":"support","x":"${'x'.repeat(LIMIT - 26)}"}`;
    expect(body).toHaveLength(LIMIT);
    expect((await exchange(harness.router.publicUrl, post(body))).map(({ status }) => status)).toEqual([200]);
  });
});

describe('a client that takes its time', () => {
  test.each([
    ['with its headers', 'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\n'],
    ['with its body', 'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-length: 500\r\n\r\n{"model":'],
    ['with a chunk', 'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{'],
  ])('%s is told so, and its connection ends', async (_name, bytes) => {
    const answers = await exchange(harness.router.publicUrl, bytes);
    expect(answers.map(({ status }) => status)).toEqual([408]);
    expect(problemOf(answers[0]).code).toBe('request-timeout');
    expect(harness.upstream.seen).toEqual([]);
  });
});

test('a client that says nothing at all is let go without a word', async () => {
  expect(await exchange(harness.router.publicUrl, [])).toEqual([]);
});

describe('a client that goes', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n';

  // A closed half is a client that has gone: most that go say no more than that.
  test.each(
    (['reset', 'close', 'half-close'] as const).flatMap((how) => [
      ['before the answer begins', '', how] as const,
      ['after the head of a stream', HEAD, how] as const,
      ['in the middle of an event', `${HEAD}5\r\ndata:\r\n`, how] as const,
      ['in the middle of a body', `${JSON_HEAD}{"a":`, how] as const,
    ]),
  )('%s, saying %j, ends the upstream’s work by %s', async (_name, said, how) => {
    const arrived = new Promise<WireRequest>((resolve) => harness.upstream.script(resolve));
    const socket = await openSocket(harness.router.publicUrl);
    socket.write(post());
    const { socket: upstreamSocket } = await arrived;
    const gone = once(upstreamSocket, 'close');
    if (said !== '') {
      const reading = once(socket, 'data');
      upstreamSocket.write(said);
      await reading;
    }
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'close') socket.destroy();
    else socket.end();
    await gone;
    expect(upstreamSocket.destroyed).toBe(true);
  });
});

describe('a client that goes with several requests under way', () => {
  test('ends all of the upstream’s work, not only that of the answer whose turn it is', async () => {
    const arrived: WireRequest[] = [];
    const all = new Promise((resolve) => {
      harness.upstream.script((seen) => {
        arrived.push(seen);
        if (arrived.length === 3) resolve('all');
      });
    });
    const socket = await openSocket(harness.router.publicUrl);
    socket.write(kept('a') + kept('b') + kept('c'));
    await all;
    const gone = arrived.map((seen) => once(seen.socket, 'close'));
    socket.destroy();
    await Promise.all(gone);
    expect(arrived.every((seen) => seen.socket.destroyed)).toBe(true);
  });
});

describe('connections to an upstream', () => {
  test('are used again, and what the upstream closed is not', async () => {
    for (let round = 0; round < 3; round += 1) {
      await exchange(harness.router.publicUrl, post());
    }
    const sockets = new Set(harness.upstream.seen.map(({ socket }) => socket));
    expect(sockets.size).toBe(1);
    const [used] = sockets;
    const closed = used === undefined ? null : once(used, 'close');
    used?.end();
    await closed;
    expect((await exchange(harness.router.publicUrl, post())).map(({ status }) => status)).toEqual([200]);
  });

  test('are not given to another while a stream is under way', async () => {
    harness.upstream.script((seen) => {
      if (/"user":"a"/.test(seen.body.toString())) seen.socket.write(chunked([]).subarray(0, -5));
      else echo(seen);
    });
    const slow = await openSocket(harness.router.publicUrl);
    slow.write(kept('a'));
    await once(slow, 'data');
    const [answer] = await exchange(harness.router.publicUrl, kept('b', CLOSE));
    expect(answer?.body.toString()).toBe('{"user":"b"}');
    slow.destroy();
  });
});
