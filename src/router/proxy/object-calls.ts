import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../client-access.js';
import { sendAnswer } from '../http-answer.js';
import { openAiError } from '../public/openai-error.js';
import { ROUTE_HEADER, routeHeader, unknown } from './addressee.js';
import { ClientReply } from './client-reply.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import type { ProxyDependencies } from './dependencies.js';
import type { Upstream } from './upstream.js';

const TIMEOUT_MS = 600_000;

/** Calls that name a stored object in their path (`GET /v1/responses/{id}`): only its issuer knows it, and nothing is compared. */
export class ObjectCalls {
  readonly #dependencies: Omit<ProxyDependencies, 'mirror'>;

  constructor(dependencies: Omit<ProxyDependencies, 'mirror'>) {
    this.#dependencies = dependencies;
  }

  forward(request: IncomingMessage, response: ServerResponse, id: string, bytes: Buffer, caller: Caller): void {
    const { clock, inFlight, keepsConnections } = this.#dependencies;
    const named = routeHeader(request);
    if (named !== null && (!this.#dependencies.table.current.has(named) || !caller.mayCall(named))) {
      sendAnswer(response, openAiError(unknown(named, caller, this.#dependencies)));
      return;
    }
    const upstream = this.#upstream(id, named, caller);
    if (upstream === undefined) {
      const message = `no upstream of this router is known to have issued "${id}"; name its route in the header ${ROUTE_HEADER}, or ask the upstream itself`;
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
      headers: requestHeaders(request, upstream, caller.keepsCredentials),
      body: bytes.length === 0 ? null : bytes,
      filterUsage: false,
      timeoutMs: upstream.timeoutMs ?? TIMEOUT_MS,
      retries: true,
      sink: reply,
      settled: () => inFlight.leave(),
    });
    reply.backpressure = exchange;
    response.once('close', () => {
      if (!response.writableFinished) exchange.abort();
    });
    exchange.dispatch();
  }

  /** Its issuer, if the caller may call the route that it was issued for; else stable of the route that the header names. */
  #upstream(id: string, named: string | null, caller: Caller): Upstream | undefined {
    const { issuedIds, upstreams, table } = this.#dependencies;
    const issuer = issuedIds.issuer(id);
    if (issuer !== null && caller.mayCall(issuer.route) && (named === null || named === issuer.route)) {
      return upstreams.get(issuer.upstream);
    }
    return named === null ? undefined : table.current.get(named)?.stable;
  }
}
