import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendAnswer } from '../http-answer.js';
import { openAiError } from '../public/openai-error.js';
import { ClientReply } from './client-reply.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import type { ProxyDependencies } from './dependencies.js';

const TIMEOUT_MS = 600_000;

/** Calls that name a stored object in their path (`GET /v1/responses/{id}`): only its issuer knows it, and nothing is compared. */
export class ObjectCalls {
  readonly #dependencies: Omit<ProxyDependencies, 'mirror'>;

  constructor(dependencies: Omit<ProxyDependencies, 'mirror'>) {
    this.#dependencies = dependencies;
  }

  forward(request: IncomingMessage, response: ServerResponse, id: string, bytes: Buffer): void {
    const { clock, issuedIds, upstreams, inFlight, keepsCredentials, keepsConnections } = this.#dependencies;
    const issuer = issuedIds.issuer(id);
    const upstream = issuer === null ? undefined : upstreams.get(issuer);
    if (upstream === undefined) {
      const message = `no upstream of this router is known to have issued "${id}"; name a route as "model" in the body, or ask the upstream itself`;
      sendAnswer(response, openAiError({ status: 404, code: 'id-unknown', message }));
      return;
    }
    const requestId = this.#dependencies.requestIds.sign({
      rollout: null,
      generation: 0,
      variant: 'stable',
      stratum: '',
      userBucket: null,
      startedAt: clock.wallMs(),
      nonce: this.#dependencies.nonces.next(),
    });
    const own = { 'x-sluice-variant': 'stable', 'x-sluice-request-id': requestId };
    const reply = new ClientReply(response, upstream.name, own, false, keepsConnections);
    inFlight.enter();
    const exchange = new Exchange({
      clock,
      upstream,
      kind: 'other',
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: requestHeaders(request, upstream, keepsCredentials),
      body: bytes.length === 0 ? null : bytes,
      filterUsage: false,
      timeoutMs: TIMEOUT_MS,
      sink: reply,
      settled: () => inFlight.leave(),
    });
    reply.backpressure = exchange;
    response.once('close', () => {
      if (!response.writableFinished) exchange.abort();
    });
    exchange.dispatch();
  }
}
