import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startSampleEndpoint } from '../../../src/cli/demo/sample-endpoint.js';
import { startSampleTraffic } from '../../../src/cli/demo/sample-traffic.js';
import type { SampleTraffic, SampleTrafficOptions } from '../../../src/cli/demo/sample-traffic.js';

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** Stands where the router stands: notes what comes and answers as it is told to. */
class FakeRouter {
  readonly seen: Seen[] = [];
  readonly #server = createServer((request, response) => this.#take(request, response));
  readonly #answer: (response: ServerResponse, number: number) => void;
  port = 0;
  #number = 0;
  underWay = 0;
  mostUnderWay = 0;

  constructor(answer: (response: ServerResponse, number: number) => void) {
    this.#answer = answer;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    return this;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  of(path: string): readonly Seen[] {
    return this.seen.filter((seen) => seen.path === path);
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    response.on('close', () => (this.underWay -= 1));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(parsed(Buffer.concat(chunks))));
      this.seen.push({ path: request.url ?? '', headers: request.headers, body });
      if (request.url === '/v1/feedback') response.end('{}');
      else this.#answer(response, this.#number++);
    });
  }
}

function parsed(body: Buffer): object {
  const value: unknown = JSON.parse(body.toString('utf8'));
  return typeof value === 'object' && value !== null ? value : {};
}

/** Answers at once, every second time as the candidate. */
function answerAtOnce(response: ServerResponse, number: number): void {
  response.writeHead(200, {
    'x-sluice-variant': number % 2 === 0 ? 'stable' : 'candidate',
    'x-sluice-request-id': `id-${number}`,
  });
  response.end('{}');
}

const closing: (() => Promise<unknown>)[] = [];

async function router(answer: (response: ServerResponse, number: number) => void): Promise<FakeRouter> {
  const fake = await new FakeRouter(answer).start();
  closing.push(() => fake.close());
  return fake;
}

function traffic(port: number, options: Partial<SampleTrafficOptions>): SampleTraffic {
  const started = startSampleTraffic({ router: `http://127.0.0.1:${port}`, route: 'support', ...options });
  closing.unshift(() => started.stop(0));
  return started;
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const NO_EXTRAS = { abortShare: 0, ratedShare: 0 };

describe('sample traffic', () => {
  it('runs for its time and accounts for every request', async () => {
    const fake = await router(answerAtOnce);
    const counters = await traffic(fake.port, { durationMs: 400, behaviour: { ...NO_EXTRAS, requestsPerSecond: 200 } })
      .ended;
    expect(counters.sent).toBeGreaterThan(0);
    expect(counters.sent).toBeLessThanOrEqual(80);
    expect(counters.ok).toBe(counters.sent);
    expect(counters.variants.stable + counters.variants.candidate).toBe(counters.sent);
    expect(counters).toMatchObject({ failed: 0, aborted: 0, inFlight: 0, failures: {} });
    expect(fake.of('/v1/chat/completions')).toHaveLength(counters.sent);
  });

  it('speaks as many users, streamed and not, with one system prompt', async () => {
    const fake = await router(answerAtOnce);
    const source = traffic(fake.port, {
      clientKey: 'key',
      behaviour: { ...NO_EXTRAS, requestsPerSecond: 500, streamedShare: 0.5 },
    });
    await vi.waitFor(() => expect(source.counters().sent).toBeGreaterThan(100), { timeout: 5000 });
    await source.stop();
    const seen = fake.of('/v1/chat/completions');
    expect(new Set(seen.map(({ body }) => body['user'])).size).toBeGreaterThan(seen.length / 2);
    for (const { body, headers } of seen) {
      expect(body).toMatchObject({ model: 'support', messages: [{ role: 'system' }, { role: 'user' }] });
      expect(headers['x-user-id']).toBe(body['user']);
      expect(headers.authorization).toBe('Bearer key');
    }
    const streamed = seen.filter(({ body }) => body['stream'] === true).length;
    expect(streamed).toBeGreaterThan(0);
    expect(streamed).toBeLessThan(seen.length);
  });

  it('rates each answer once under its request id, by variant', async () => {
    const fake = await router(answerAtOnce);
    const source = traffic(fake.port, {
      behaviour: { requestsPerSecond: 400, abortShare: 0, ratedShare: 1, badShare: { stable: 0, candidate: 1 } },
    });
    await vi.waitFor(() => expect(source.counters().ratings.accepted).toBeGreaterThan(40), { timeout: 5000 });
    const { ratings, ok } = await source.stop();
    expect(ratings).toEqual({ sent: ok, accepted: ok, failed: 0 });
    const rated = fake.of('/v1/feedback').map(({ body }) => body);
    expect(new Set(rated.map((body) => body['request_id'])).size).toBe(ok);
    for (const body of rated) {
      const number = Number(String(body['request_id']).slice(3));
      expect(body['thumb']).toBe(number % 2 === 0 ? 'up' : 'down');
    }
  });

  it('never has more under way than it may, and says what it skipped', async () => {
    const held: ServerResponse[] = [];
    const fake = await router((response) => held.push(response));
    const source = traffic(fake.port, { maxInFlight: 7, behaviour: { ...NO_EXTRAS, requestsPerSecond: 1000 } });
    await vi.waitFor(() => expect(source.counters().skipped).toBeGreaterThan(20), { timeout: 5000 });
    expect(source.counters()).toMatchObject({ sent: 7, inFlight: 7 });
    expect(fake.mostUnderWay).toBeLessThanOrEqual(7);
  });

  it('drains: what is under way when it stops is waited for', async () => {
    const held: ServerResponse[] = [];
    const fake = await router((response) => held.push(response));
    const source = traffic(fake.port, { maxInFlight: 5, behaviour: { ...NO_EXTRAS, requestsPerSecond: 1000 } });
    await vi.waitFor(() => expect(held).toHaveLength(5), { timeout: 5000 });
    const stopped = source.stop();
    for (const response of held) response.end('{}');
    expect(await stopped).toMatchObject({ sent: 5, ok: 5, inFlight: 0 });
    expect(fake.seen).toHaveLength(5);
  });

  it('cuts off what does not end in time', async () => {
    const fake = await router(() => undefined);
    const source = traffic(fake.port, { maxInFlight: 3, behaviour: { ...NO_EXTRAS, requestsPerSecond: 1000 } });
    await vi.waitFor(() => expect(fake.seen).toHaveLength(3), { timeout: 5000 });
    expect(await source.stop(1)).toMatchObject({ sent: 3, ok: 0, failed: 3, inFlight: 0 });
  });

  it('ends some streams itself, and counts them apart from failures', async () => {
    const endpoint = await startSampleEndpoint({ model: 'support', behaviour: { latencyMedianMs: 20, errorRate: 0 } });
    closing.push(() => endpoint.close());
    const source = traffic(endpoint.port, { behaviour: { requestsPerSecond: 300, abortShare: 1, ratedShare: 1 } });
    await vi.waitFor(() => expect(source.counters().aborted).toBeGreaterThan(10), { timeout: 5000 });
    const { sent, aborted, failed, ok, ratings } = await source.stop();
    expect({ aborted, failed, ok, rated: ratings.sent }).toEqual({ aborted: sent, failed: 0, ok: 0, rated: 0 });
    await vi.waitFor(() => expect(endpoint.counts()).toMatchObject({ aborted: sent, inFlight: 0 }));
  });

  it('counts failures by status and by code', async () => {
    const fake = await router((response, number) => {
      response.statusCode = number % 2 === 0 ? 500 : 429;
      response.end('{}');
    });
    const source = traffic(fake.port, { behaviour: { ...NO_EXTRAS, requestsPerSecond: 500 } });
    await vi.waitFor(() => expect(source.counters().failed).toBeGreaterThan(10), { timeout: 5000 });
    const { failures, failed } = await source.stop();
    expect(Object.keys(failures).toSorted()).toEqual(['429', '500']);
    expect((failures['429'] ?? 0) + (failures['500'] ?? 0)).toBe(failed);

    await fake.close();
    const nobody = traffic(fake.port, { behaviour: { ...NO_EXTRAS, requestsPerSecond: 500 } });
    await vi.waitFor(() => expect(nobody.counters().failures['ECONNREFUSED'] ?? 0).toBeGreaterThan(0), {
      timeout: 5000,
    });
  });

  it('changes its pace while it runs', async () => {
    const fake = await router(answerAtOnce);
    const source = traffic(fake.port, { behaviour: { ...NO_EXTRAS, requestsPerSecond: 0 } });
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(source.counters().sent).toBe(0);
    source.set({ requestsPerSecond: 500 });
    await vi.waitFor(() => expect(source.counters().ok).toBeGreaterThan(5), { timeout: 5000 });
  });
});
