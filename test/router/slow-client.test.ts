import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { upstreamName } from '../../src/plan/ids.js';
import { ClientReply } from '../../src/router/proxy/client-reply.js';
import { Exchange } from '../../src/router/proxy/exchange.js';
import type { AnswerSink } from '../../src/router/proxy/exchange.js';
import type { Outcome } from '../../src/router/proxy/outcome.js';
import { createUpstream } from '../../src/router/proxy/upstream.js';
import { deferred } from './helpers/deferred.js';
import { FakeClock } from './helpers/fake-clock.js';
import { answerStream, startUpstream } from './helpers/upstream-server.js';

const KILOBYTES_64 = Buffer.alloc(64 * 1024, 'x');

describe('reading ahead of a slow client', () => {
  test('goes on up to 256 KB, stops there, and goes on when the client has caught up', async () => {
    const answering = deferred<ServerResponse>();
    const server = createServer((_request, response) => answering.resolve(response)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const response = await answering.promise;
    const resumed = deferred<string>();
    let paused = false;
    const reply = new ClientReply(response, 'new', {}, false);
    reply.backpressure = {
      pause: () => {
        paused = true;
      },
      resume: () => resumed.resolve('resumed'),
    };
    reply.start(200, { 'content-type': 'text/event-stream' });
    // The client reads nothing: first the buffers of the system fill up, then the router's own.
    let ahead = 0;
    for (let written = 0; !paused && written < 1_000; written += 1) {
      ahead = response.writableLength;
      reply.data(KILOBYTES_64);
    }
    expect(paused).toBe(true);
    expect(ahead).toBeLessThan(256 * 1024);
    expect(response.writableLength).toBeGreaterThanOrEqual(256 * 1024);
    client.resume();
    expect(await resumed.promise).toBe('resumed');
  });
});

describe('the time a client took', () => {
  async function run(
    sinkOf: (exchange: () => Exchange, clock: FakeClock) => Partial<AnswerSink>,
    timeoutMs = 30_000,
  ): Promise<Outcome> {
    const server = await startUpstream();
    server.behave(answerStream(['data: {"choices":[]}\n\n', 'data: [DONE]\n\n']));
    const upstream = createUpstream({
      name: upstreamName('new'),
      baseUrl: server.url,
      model: 'm',
      key: null,
      headers: {},
    });
    onTestFinished(() => upstream.pool.destroy());
    const clock = new FakeClock();
    const settled = deferred<Outcome>();
    const nothing: AnswerSink = {
      start: () => undefined,
      data: () => undefined,
      end: () => undefined,
      failed: () => undefined,
    };
    const exchange: Exchange = new Exchange({
      clock,
      upstream,
      kind: 'chat',
      method: 'POST',
      url: '/v1/chat/completions',
      headers: [],
      body: Buffer.from('{}'),
      filterUsage: false,
      timeoutMs,
      retries: false,
      sink: { ...nothing, ...sinkOf(() => exchange, clock) },
      settled: (outcome) => settled.resolve(outcome),
    });
    exchange.dispatch();
    return settled.promise;
  }

  test('does not enter the upstream’s latency', async () => {
    const outcome = await run((exchange, clock) => ({
      start: () => {
        clock.advance(100);
        exchange().pause();
        clock.advance(4_000);
        exchange().resume();
      },
    }));
    expect(outcome).toMatchObject({ end: 'complete', latencyMs: 100 });
  });

  test('is no timeout of the upstream: a client that never reads on has ended its request itself', async () => {
    const failures: string[] = [];
    const outcome = await run(
      (exchange) => ({ start: () => exchange().pause(), failed: (errorClass) => failures.push(errorClass) }),
      50,
    );
    expect(outcome).toMatchObject({ end: 'aborted', errorClass: null });
    expect(failures).toEqual(['timeout']);
  });
});
