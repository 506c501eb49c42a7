import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAIRED, SERVED } from '../../evidence/record.js';
import { assign } from '../assignment.js';
import type { Assignment } from '../assignment.js';
import { objectInPath } from '../body/api-path.js';
import { readBody } from '../body/read-body.js';
import { bodyFor, readRequestBody } from '../body/request-body.js';
import type { RequestBody } from '../body/request-body.js';
import type { Caller } from '../client-access.js';
import { markUnit, sampleHash } from '../choice.js';
import type { TrialStart } from '../meter/generation-meter.js';
import { sendAnswer, sendEarlyAnswer } from '../http-answer.js';
import { openAiError } from '../public/openai-error.js';
import type { ActiveSplit } from '../split/active-split.js';
import { unitOf } from '../unit.js';
import { addresseeOf } from './addressee.js';
import type { Addressee } from './addressee.js';
import { ClientReply } from './client-reply.js';
import type { ProxyDependencies, ProxyRoute } from './dependencies.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import type { HeaderChoice } from './headers.js';
import type { MirrorCopy } from './mirror.js';
import type { Outcome } from './outcome.js';
import { ObjectCalls } from './object-calls.js';
import { timeLimit } from './upstream.js';

/** `/v1/*`: from the client's request to the variant that answers it. */
export class Proxy {
  readonly #dependencies: ProxyDependencies;
  readonly #objects: ObjectCalls;

  constructor(dependencies: ProxyDependencies) {
    this.#dependencies = dependencies;
    this.#objects = new ObjectCalls(dependencies);
  }

  /** `path` is the URL's without its query. */
  async handle(request: IncomingMessage, response: ServerResponse, path: string, caller: Caller): Promise<void> {
    const { bodyBytes } = this.#dependencies.limits;
    const read = await readBody(request, bodyBytes);
    // Nobody would hear of the answer, and no event would tell that the client has gone.
    if (read.kind === 'cut-off' || response.destroyed) return;
    if (read.kind === 'too-large') {
      const message = `the body exceeds ${bodyBytes} bytes (limits.bodyBytes of sluice.yaml)`;
      sendEarlyAnswer(request, response, openAiError({ status: 413, code: 'body-too-large', message }));
      return;
    }
    const object = objectInPath(path);
    if (object !== null && (readRequestBody(read.bytes, 'other')?.model ?? null) === null) {
      this.#objects.forward(request, response, object, read.bytes, caller);
      return;
    }
    const addressee = await addresseeOf(request, path, read.bytes, caller, this.#dependencies);
    if (response.destroyed) return;
    if ('code' in addressee) sendAnswer(response, openAiError(addressee));
    else
      this.#forward(request, response, addressee, {
        keepsCredentials: caller.keepsCredentials,
        decoded: addressee.decoded,
      });
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    { body, active, route }: Addressee,
    headers: HeaderChoice,
  ): void {
    const { clock, hash, nonces, inFlight } = this.#dependencies;
    const startedMonotonicMs = clock.monotonicMs();
    const startedWallMs = clock.wallMs();
    const nonce = nonces.next();
    const unit = unitOf(request.headers, route.config.unitHeader, body.unit);
    const mark = unit === null ? null : markUnit(hash, unit);
    const assignment = assign({
      ...this.#dependencies,
      active,
      route: route.config.name,
      body,
      unit: unit ?? nonce,
      nowMonotonicMs: startedMonotonicMs,
    });
    const copy = this.#copy(request, { body, active, assignment, headers, startedWallMs });
    const start: TrialStart = {
      variant: assignment.variant,
      stratum: copy === null ? SERVED : PAIRED,
      mark,
      sampleHash: unit === null || copy !== null ? null : sampleHash(hash, active.split.salt, unit),
      startedWallMs,
      startedMonotonicMs,
    };
    const trial = assignment.compared ? (active.meter?.begin(start) ?? null) : null;
    const requestId = this.#dependencies.requestIds.sign({
      rollout: trial === null ? null : active.split.rollout,
      generation: active.split.generation,
      variant: assignment.variant,
      stratum: start.stratum,
      userBucket: mark?.bucket ?? null,
      startedAt: startedWallMs,
      nonce,
    });
    const reply = new ClientReply(
      response,
      assignment.upstream.name,
      { 'x-sluice-variant': assignment.variant, 'x-sluice-request-id': requestId },
      body.addsUsage,
      this.#dependencies.keepsConnections,
    );
    const { timeoutMs, method, url } = {
      timeoutMs: active.split.metering.requestTimeoutMs,
      method: request.method ?? 'POST',
      url: request.url ?? '/',
    };
    inFlight.enter();
    const exchange = new Exchange({
      clock,
      upstream: assignment.upstream,
      kind: body.kind,
      method,
      url,
      headers: requestHeaders(request, assignment.upstream, headers.keepsCredentials, headers.decoded),
      body: bodyFor(body, assignment.upstream.model, 'served'),
      filterUsage: body.addsUsage,
      timeoutMs: timeLimit(assignment.upstream, timeoutMs),
      retries: true,
      sink: reply,
      settled: (outcome) => {
        trial?.finish(outcome);
        this.#note(route, assignment.variant, 'served', outcome);
        if (body.stored) {
          const { issuedIds = [] } = outcome.factsOfRetry ?? outcome.facts ?? {};
          this.#dependencies.issuedIds.note(issuedIds, {
            upstream: assignment.upstream.name,
            route: route.config.name,
          });
        }
        inFlight.leave();
      },
    });
    reply.backpressure = exchange;
    response.once('close', () => {
      if (response.writableFinished) return;
      // Its twin is read to the end, and so is it: otherwise only one of the pair would count.
      if (copy === null) exchange.abort();
      else exchange.detach();
    });
    exchange.dispatch();
    if (copy === null || assignment.mirrorTo === null || active.meter === null) return;
    const { variant } = assignment.mirrorTo;
    this.#dependencies.mirror.send(copy, {
      body,
      method,
      url,
      timeoutMs,
      trial: active.meter.begin({ ...start, variant }),
      settled: (outcome) => this.#note(route, variant, 'mirrored', outcome),
    });
  }

  #copy(
    request: IncomingMessage,
    call: {
      readonly body: RequestBody;
      readonly active: ActiveSplit;
      readonly assignment: Assignment;
      readonly headers: HeaderChoice;
      readonly startedWallMs: number;
    },
  ): MirrorCopy | null {
    const { body, active, assignment, headers, startedWallMs } = call;
    if (assignment.mirrorTo === null) return null;
    const copy = this.#dependencies.mirror.prepare(request, body, assignment.mirrorTo.upstream, headers);
    if (typeof copy !== 'string') return copy;
    active.meter?.dropBeforeSending(copy, startedWallMs);
    return null;
  }

  #note(route: ProxyRoute, variant: Assignment['variant'], kind: 'served' | 'mirrored', outcome: Outcome): void {
    if (variant === 'stable') {
      const { end, latencyMs, ttftMs, facts } = outcome;
      const usage = facts?.usage ?? null;
      const answer = { completionTokens: usage?.completionTokens ?? null, cachedTokens: usage?.cachedTokens ?? null };
      route.meter.recentStable.add(latencyMs, ttftMs, end === 'complete' ? answer : null);
    }
    this.#dependencies.counters.add(route.config.name, variant, kind, outcome);
  }
}
