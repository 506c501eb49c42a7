import { afterEach, describe, expect, it, vi } from 'vitest';
import { startSampleEndpoint } from '../../../src/cli/demo/sample-endpoint.js';
import type { SampleEndpoint, SampleEndpointOptions } from '../../../src/cli/demo/sample-endpoint.js';
import { REFUSAL, words } from '../../../src/cli/demo/sample-text.js';
import { readsAsRefusal } from '../../../src/comparison/refusal.js';

const FAST = { latencyMedianMs: 2, errorRate: 0, refusalRate: 0, cacheMissRate: 0 };
const WORDS: unknown = expect.stringMatching(/^[a-z ]+$/);
const open: SampleEndpoint[] = [];

async function start(
  behaviour: SampleEndpointOptions['behaviour'] = {},
  options: Partial<SampleEndpointOptions> = {},
): Promise<SampleEndpoint> {
  const endpoint = await startSampleEndpoint({ model: 'llama', behaviour: { ...FAST, ...behaviour }, ...options });
  open.push(endpoint);
  return endpoint;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

function post(endpoint: SampleEndpoint, path: string, body: object | string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${endpoint.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

const chat = (keys: object = {}): object => ({
  model: 'llama',
  messages: [
    { role: 'system', content: 'You are the assistant of a shop. Be brief.' },
    { role: 'user', content: 'Where is my order?' },
  ],
  ...keys,
});

/** Data of each event of a stream, in order. */
async function events(response: Response): Promise<readonly string[]> {
  const text = await response.text();
  expect(text.endsWith('\n\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n\n')
    .map(
      (event) =>
        event
          .split('\n')
          .find((line) => line.startsWith('data: '))
          ?.slice(6) ?? '',
    );
}

describe('sample endpoint', () => {
  it('lists its model, on loopback only', async () => {
    const endpoint = await start();
    expect(endpoint.url).toBe(`http://127.0.0.1:${endpoint.port}/v1`);
    const response = await fetch(`${endpoint.url}/models`);
    expect(await response.json()).toMatchObject({ object: 'list', data: [{ id: 'llama', object: 'model' }] });
  });

  it('answers a chat as OpenAI does', async () => {
    const endpoint = await start();
    const response = await post(endpoint, '/chat/completions', chat());
    expect(response.status).toBe(200);
    const body: unknown = await response.json();
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'llama',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: WORDS, refusal: null },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 15, prompt_tokens_details: { cached_tokens: 0 } },
    });
  });

  it('streams a chat: role, content, finish, usage when asked for, end', async () => {
    const endpoint = await start();
    const response = await post(
      endpoint,
      '/chat/completions',
      chat({ stream: true, stream_options: { include_usage: true } }),
    );
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const data = await events(response);
    expect(data.at(-1)).toBe('[DONE]');
    const chunks = data.slice(0, -1).map((text): unknown => JSON.parse(text));
    expect(chunks[0]).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ delta: { role: 'assistant' } }],
      usage: null,
    });
    expect(chunks[1]).toMatchObject({
      choices: [{ delta: { content: WORDS }, finish_reason: null }],
    });
    expect(chunks.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] });
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 15, prompt_tokens_details: { cached_tokens: 0 } },
    });
  });

  it('sends no usage in a stream that did not ask for it', async () => {
    const endpoint = await start();
    const data = await events(await post(endpoint, '/chat/completions', chat({ stream: true })));
    expect(data.join('')).not.toContain('usage');
    expect(data.at(-1)).toBe('[DONE]');
  });

  it('streams the words that it would have answered in one body', async () => {
    const [whole, streamed] = await Promise.all([start({}, { seed: 9 }), start({}, { seed: 9 })]);
    const body: unknown = await (await post(whole, '/chat/completions', chat())).json();
    const data = await events(await post(streamed, '/chat/completions', chat({ stream: true })));
    const text = data.map((event) => /"content":"([^"]*)"/.exec(event)?.[1] ?? '').join('');
    expect(body).toMatchObject({ choices: [{ message: { content: text } }] });
  });

  it('answers completions, responses and embeddings', async () => {
    const endpoint = await start();
    const completion = await post(endpoint, '/completions', { model: 'llama', prompt: 'Once upon a time' });
    expect(await completion.json()).toMatchObject({
      object: 'text_completion',
      choices: [{ text: WORDS }],
      usage: { prompt_tokens: 4 },
    });
    const made = await post(endpoint, '/responses', { model: 'llama', input: 'Where is my order?' });
    expect(await made.json()).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text' }] }],
      usage: { input_tokens: 5, input_tokens_details: { cached_tokens: 0 } },
    });
    const embedding = await post(endpoint, '/embeddings', { model: 'llama', input: ['a text'] });
    expect(await embedding.json()).toMatchObject({
      object: 'list',
      data: [{ object: 'embedding' }],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
  });

  it('streams completions and responses with their own ends', async () => {
    const endpoint = await start();
    const completion = await events(
      await post(endpoint, '/completions', { model: 'llama', prompt: 'Once', stream: true }),
    );
    expect(completion.at(-1)).toBe('[DONE]');
    const made = await events(await post(endpoint, '/responses', { model: 'llama', input: 'Hello', stream: true }));
    const chunks = made.map((text): unknown => JSON.parse(text));
    expect(chunks[0]).toMatchObject({ type: 'response.created' });
    expect(chunks[1]).toMatchObject({ type: 'response.output_text.delta' });
    expect(chunks.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
  });

  it('stops at the limit of tokens', async () => {
    const endpoint = await start({ tokensMedian: 500, tokensLogSd: 0.1 });
    const response = await post(endpoint, '/chat/completions', chat({ max_tokens: 3 }));
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { completion_tokens: 3 },
    });
  });

  it('caches prompts by user and beginning', async () => {
    const endpoint = await start();
    const cached = async (user: string): Promise<unknown> =>
      (await post(endpoint, '/chat/completions', chat({ user }))).json();
    const usage = (tokens: number): object => ({
      usage: { prompt_tokens: 15, prompt_tokens_details: { cached_tokens: tokens } },
    });
    expect(await cached('u-1')).toMatchObject(usage(0));
    expect(await cached('u-1')).toMatchObject(usage(13));
    expect(await cached('u-2')).toMatchObject(usage(0));
    endpoint.set({ cacheMissRate: 1 });
    expect(await cached('u-1')).toMatchObject(usage(0));
    expect(endpoint.counts()).toMatchObject({ cacheHits: 1, cacheMisses: 3 });
  });

  it('fails as it is told to, from the next request on', async () => {
    const endpoint = await start();
    endpoint.set({ errorRate: 1 });
    const response = await post(endpoint, '/chat/completions', chat());
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { type: 'server_error', code: null } });
    endpoint.set({ errorRate: 0 });
    expect((await post(endpoint, '/chat/completions', chat())).status).toBe(200);
    expect(endpoint.counts()).toMatchObject({ requests: 2, errors: 1, completed: 1 });
  });

  it('declines in its text or in the refusal field, in bodies and streams', async () => {
    const endpoint = await start({ refusalRate: 1 });
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async () => (await post(endpoint, '/chat/completions', chat())).text()),
    );
    expect(bodies.filter((body) => body.includes(`"content":"${REFUSAL}","refusal":null`)).length).toBeGreaterThan(0);
    expect(bodies.filter((body) => body.includes(`"content":null,"refusal":"${REFUSAL}"`)).length).toBeGreaterThan(0);
    const streams = await Promise.all(
      Array.from({ length: 20 }, async () =>
        (await post(endpoint, '/chat/completions', chat({ stream: true }))).text(),
      ),
    );
    expect(streams.filter((body) => body.includes(`"delta":{"content":"${REFUSAL}"}`)).length).toBeGreaterThan(0);
    expect(streams.filter((body) => body.includes(`"delta":{"refusal":"${REFUSAL}"}`)).length).toBeGreaterThan(0);
    expect(endpoint.counts().refusals).toBe(40);
  });

  it('speaks so that refusals, and nothing else, read as refusals', () => {
    expect(readsAsRefusal(REFUSAL)).toBe(true);
    for (let from = 0; from < 64; from++) expect(readsAsRefusal(words(from, 200))).toBe(false);
  });

  it.each([
    ['/chat/completions', 'no json', 400, 'We could not parse the JSON body of your request.'],
    ['/chat/completions', '[]', 400, 'We could not parse the JSON body of your request.'],
    ['/chat/completions', '{"model":"other"}', 404, 'The model `other` does not exist'],
    ['/images', '{}', 404, 'Invalid URL (POST /v1/images)'],
    [
      '/chat/completions',
      `{"model":"llama","x":"${'x'.repeat(4 * 1024 * 1024)}"}`,
      413,
      'The request body is too large.',
    ],
  ])('%s: a bad request is answered as OpenAI does (%#)', async (path, body, status, message) => {
    const endpoint = await start();
    const response = await post(endpoint, path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message, type: 'invalid_request_error' } });
    expect(endpoint.counts()).toMatchObject({ requests: 0, rejected: 1, inFlight: 0 });
  });

  it('does the same with the same seed', async () => {
    const behaviour = { errorRate: 0.3, refusalRate: 0.3 };
    const run = async (seed: number): Promise<readonly (readonly [number, string])[]> => {
      const endpoint = await start(behaviour, { seed });
      const answers: (readonly [number, string])[] = [];
      for (let count = 0; count < 20; count++) {
        const response = await post(endpoint, '/chat/completions', chat());
        answers.push([response.status, (await response.text()).replace(/"created":\d+/, '')]);
      }
      return answers;
    };
    const [first, same, other] = [await run(5), await run(5), await run(6)];
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('hangs until the client gives up', async () => {
    const endpoint = await start({ hangRate: 1 });
    const controller = new AbortController();
    const answer = post(endpoint, '/chat/completions', chat(), controller.signal);
    await vi.waitFor(() => expect(endpoint.counts()).toMatchObject({ hung: 1, inFlight: 1 }));
    controller.abort();
    await expect(answer).rejects.toThrow(/abort/);
    await vi.waitFor(() => expect(endpoint.counts()).toMatchObject({ aborted: 1, inFlight: 0 }));
  });

  it('closes at once, whatever is under way', async () => {
    const endpoint = await start({ hangRate: 1 });
    const answer = post(endpoint, '/chat/completions', chat());
    await vi.waitFor(() => expect(endpoint.counts().inFlight).toBe(1));
    const [closed, asked] = await Promise.allSettled([endpoint.close(), answer]);
    expect([closed.status, asked.status]).toEqual(['fulfilled', 'rejected']);
    await expect(fetch(`${endpoint.url}/models`)).rejects.toThrow(/fetch failed/);
  });

  it('says when its port is taken', async () => {
    const endpoint = await start();
    await expect(startSampleEndpoint({ model: 'llama', port: endpoint.port })).rejects.toThrow(/EADDRINUSE/);
  });
});
