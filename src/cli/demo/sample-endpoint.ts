/** An OpenAI-compatible endpoint without a model: realistic in time, tokens, cache, errors and refusals, cheap to run. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { PromptCache } from './prompt-cache.js';
import { Random } from './random.js';
import { AnswerWriter, errorBody } from './sample-answers.js';
import type { SampleAnswer, SampleApi } from './sample-answers.js';
import { DEFAULT_BEHAVIOUR } from './sample-behaviour.js';
import type { SampleBehaviour } from './sample-behaviour.js';
import { readSampleRequest } from './sample-request.js';
import type { SampleRequest } from './sample-request.js';
import { MOST_TOKENS } from './sample-text.js';
import { TimingWheel } from './timing-wheel.js';

const BODY_LIMIT = 4 * 1024 * 1024;
/** Writes of a stream: enough to look like one, few enough to be cheap. */
const STREAM_PIECES = 4;
const REFUSAL_TOKENS = 12;
const SERVER_ERROR = errorBody('The server had an error while processing your request.', 'server_error', null);

const APIS: ReadonlyMap<string, SampleApi> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/responses', 'responses'],
  ['/v1/embeddings', 'embeddings'],
]);

export interface SampleEndpointOptions {
  /** Model name it knows; others are answered with 404. */
  readonly model: string;
  /** 0 (default) = any free port. */
  readonly port?: number;
  readonly seed?: number;
  readonly behaviour?: Partial<SampleBehaviour>;
  /** Prompts that its cache holds; 100,000 by default. */
  readonly cacheCapacity?: number;
}

/** What it was asked and did, since its start. */
export interface SampleCounts {
  readonly requests: number;
  readonly streamed: number;
  readonly completed: number;
  readonly errors: number;
  readonly refusals: number;
  /** Never answered. */
  readonly hung: number;
  /** The client went before the end. */
  readonly aborted: number;
  /** Bad requests: no JSON, unknown model, unknown path. */
  readonly rejected: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly inFlight: number;
}

export interface SampleEndpoint {
  /** Base URL with version path, `http://127.0.0.1:<port>/v1`. */
  readonly url: string;
  readonly port: number;
  readonly model: string;
  /** Changes how it behaves from the next request on. */
  set(behaviour: Partial<SampleBehaviour>): void;
  counts(): SampleCounts;
  /** Ends everything at once, answers under way too. */
  close(): Promise<void>;
}

/**
 * Starts the endpoint on 127.0.0.1.
 * @throws the listener's error when the port is taken
 */
export async function startSampleEndpoint(options: SampleEndpointOptions): Promise<SampleEndpoint> {
  const service = new SampleService(options);
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, service.handle);
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    model: options.model,
    set: (behaviour) => service.set(behaviour),
    counts: () => service.counts(),
    close: () => {
      service.stop();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('the sample endpoint has no port'));
    });
  });
}

class SampleService {
  readonly #model: string;
  readonly #writer: AnswerWriter;
  readonly #random: Random;
  readonly #cache: PromptCache;
  readonly #wheel = new TimingWheel();
  readonly #models: string;
  readonly #counts = {
    requests: 0,
    streamed: 0,
    completed: 0,
    errors: 0,
    refusals: 0,
    hung: 0,
    aborted: 0,
    rejected: 0,
    cacheHits: 0,
    cacheMisses: 0,
    inFlight: 0,
  };
  #behaviour: SampleBehaviour;
  #sequence = 0;

  constructor(options: SampleEndpointOptions) {
    this.#model = options.model;
    this.#writer = new AnswerWriter(options.model);
    this.#random = new Random(options.seed ?? 1);
    this.#cache = new PromptCache(options.cacheCapacity ?? 100_000);
    this.#behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
    this.#models = JSON.stringify({
      object: 'list',
      data: [{ id: options.model, object: 'model', created: 1_700_000_000, owned_by: 'sample' }],
    });
  }

  set(behaviour: Partial<SampleBehaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...behaviour };
  }

  counts(): SampleCounts {
    return { ...this.#counts };
  }

  stop(): void {
    this.#wheel.stop();
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (request.method === 'GET' && path === '/v1/models') {
      request.resume();
      sendJson(response, 200, this.#models);
      return;
    }
    const api = request.method === 'POST' ? APIS.get(path) : undefined;
    if (api === undefined) {
      request.resume();
      this.#reject(response, 404, `Invalid URL (${request.method ?? ''} ${path})`, null);
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT) chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes > BODY_LIMIT) this.#reject(response, 413, 'The request body is too large.', null);
      else this.#answer(api, Buffer.concat(chunks).toString('utf8'), response);
    });
  };

  #reject(response: ServerResponse, status: number, message: string, code: string | null): void {
    this.#counts.rejected += 1;
    sendJson(response, status, errorBody(message, 'invalid_request_error', code));
  }

  #answer(api: SampleApi, text: string, response: ServerResponse): void {
    const request = readSampleRequest(api, text);
    if (request === null) {
      this.#reject(response, 400, 'We could not parse the JSON body of your request.', null);
      return;
    }
    if (request.model !== this.#model) {
      this.#reject(response, 404, `The model \`${request.model}\` does not exist`, 'model_not_found');
      return;
    }
    this.#counts.requests += 1;
    this.#counts.inFlight += 1;
    response.on('close', () => {
      this.#counts.inFlight -= 1;
      if (!response.writableFinished) this.#counts.aborted += 1;
    });
    this.#perform(api, request, response);
  }

  /** Draws the same numbers for every request, so that one changed rate leaves the others' draws alone. */
  #perform(api: SampleApi, request: SampleRequest, response: ServerResponse): void {
    const { latencyMedianMs, latencyLogSd, errorRate, hangRate, firstTokenShare } = this.#behaviour;
    const latencyMs = this.#random.lognormal(latencyMedianMs, latencyLogSd);
    const hangs = this.#random.chance(hangRate);
    const fails = this.#random.chance(errorRate);
    const answer = this.#compose(request);
    if (hangs) {
      this.#counts.hung += 1;
      return;
    }
    if (fails) {
      this.#counts.errors += 1;
      this.#wheel.after(latencyMs, () => sendJson(response, 500, SERVER_ERROR));
      return;
    }
    if (answer.refusal !== 'none') this.#counts.refusals += 1;
    if (request.stream && api !== 'embeddings') {
      this.#counts.streamed += 1;
      const parts = this.#writer.stream(api, answer, STREAM_PIECES, request.includeUsage);
      const firstMs = latencyMs * firstTokenShare;
      const gapMs = (latencyMs - firstMs) / Math.max(1, parts.length - 1);
      this.#wheel.after(firstMs, () => {
        if (response.destroyed) return;
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
        this.#sendParts(response, parts, 0, gapMs);
      });
      return;
    }
    const body = this.#writer.body(api, answer);
    this.#wheel.after(latencyMs, () => {
      this.#counts.completed += 1;
      sendJson(response, 200, body);
    });
  }

  #sendParts(response: ServerResponse, parts: readonly string[], index: number, gapMs: number): void {
    if (response.destroyed) return;
    const part = parts[index] ?? '';
    if (index >= parts.length - 1) {
      this.#counts.completed += 1;
      response.end(part);
      return;
    }
    response.write(part);
    this.#wheel.after(gapMs, () => this.#sendParts(response, parts, index + 1, gapMs));
  }

  #compose(request: SampleRequest): SampleAnswer {
    const { tokensMedian, tokensLogSd, refusalRate, cacheMissRate } = this.#behaviour;
    const drawn = Math.max(1, Math.round(this.#random.lognormal(tokensMedian, tokensLogSd)));
    const limit = Math.min(MOST_TOKENS, request.maxTokens ?? MOST_TOKENS);
    const refuses = this.#random.chance(refusalRate);
    const inField = this.#random.chance(0.5);
    const missesAnyway = this.#random.chance(cacheMissRate);
    const hit = this.#cache.touch(request.prefix) && !missesAnyway;
    this.#counts[hit ? 'cacheHits' : 'cacheMisses'] += 1;
    this.#sequence += 1;
    return {
      id: `${this.#model.length.toString(36)}${this.#sequence.toString(36).padStart(8, '0')}`,
      createdAt: Math.floor(Date.now() / 1000),
      from: this.#random.below(64),
      tokens: refuses ? Math.min(REFUSAL_TOKENS, limit) : Math.min(drawn, limit),
      refusal: refuses ? (inField ? 'field' : 'text') : 'none',
      finish: !refuses && drawn > limit ? 'length' : 'stop',
      usage: { prompt: request.promptTokens, cached: hit ? Math.floor(request.promptTokens * 0.9) : 0 },
    };
  }
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
