import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAIRED, SERVED } from '../../evidence/record.js';
import { assign } from '../assignment.js';
import type { Assignment } from '../assignment.js';
import { apiKind, objectInPath } from '../body/api-path.js';
import { readBody } from '../body/read-body.js';
import { bodyFor, readRequestBody } from '../body/request-body.js';
import type { RequestBody } from '../body/request-body.js';
import { markUnit, sampleHash } from '../choice.js';
import type { TrialStart } from '../meter/generation-meter.js';
import { sendAnswer } from '../http-answer.js';
import { openAiError } from '../public/openai-error.js';
import type { PublicError } from '../public/openai-error.js';
import type { ActiveSplit } from '../split/active-split.js';
import { unitOf } from '../unit.js';
import { ClientReply } from './client-reply.js';
import type { ProxyDependencies, ProxyRoute } from './dependencies.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import type { MirrorCopy } from './mirror.js';
import type { Outcome } from './outcome.js';
import { ObjectCalls } from './object-calls.js';

/** Bodies are kept whole: for the model's name, for the mirror, for a usage request. Images come in them too. */
const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/** `/v1/*`: from the client's request to the variant that answers it. */
export class Proxy {
  readonly #dependencies: ProxyDependencies;
  readonly #objects: ObjectCalls;

  constructor(dependencies: ProxyDependencies) {
    this.#dependencies = dependencies;
    this.#objects = new ObjectCalls(dependencies);
  }

  /** `path` is the URL's without its query. */
  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const read = await readBody(request, BODY_LIMIT_BYTES);
    // Nobody would hear of the answer, and no event would tell that the client has gone.
    if (read.kind === 'cut-off' || response.destroyed) return;
    if (read.kind === 'too-large') {
      refuse(response, { status: 413, code: 'body-too-large', message: `the body exceeds ${BODY_LIMIT_BYTES} bytes` });
      return;
    }
    const object = objectInPath(path);
    if (object !== null && (read.bytes.length === 0 || readRequestBody(read.bytes, 'other')?.model === null)) {
      this.#objects.forward(request, response, object, read.bytes);
      return;
    }
    const body = this.#readable(request, response, path, read.bytes);
    if (body === null) return;
    const name = body.model ?? '';
    const active = this.#dependencies.table.current.get(name);
    const route = this.#dependencies.routes.get(name);
    if (active === undefined || route === undefined) {
      const known = [...this.#dependencies.routes.keys()].join(', ');
      const message =
        body.model === null
          ? `the body names no model; routes are: ${known}`
          : `model "${name}" is not a route; routes are: ${known}`;
      const code = body.model === null ? 'model-missing' : 'route-unknown';
      refuse(response, { status: body.model === null ? 400 : 404, code, message, param: 'model' });
      return;
    }
    this.#forward(request, response, body, active, route);
  }

  #readable(request: IncomingMessage, response: ServerResponse, path: string, bytes: Buffer): RequestBody | null {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      refuse(response, {
        status: 415,
        code: 'encoding-unsupported',
        message: `content-encoding "${encoding}" is not supported; send the body as it is`,
      });
      return null;
    }
    const body = readRequestBody(bytes, apiKind(path));
    if (body === null) {
      refuse(response, {
        status: 400,
        code: 'body-invalid',
        message: 'the body is not a JSON object; routes are chosen by its "model"',
      });
    }
    return body;
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    body: RequestBody,
    active: ActiveSplit,
    route: ProxyRoute,
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
      body,
      unit: unit ?? nonce,
      nowMonotonicMs: startedMonotonicMs,
    });
    const copy = this.#copy(request, body, active, assignment, startedWallMs);
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
      headers: requestHeaders(request, assignment.upstream, this.#dependencies.keepsCredentials),
      body: bodyFor(body, assignment.upstream.model, 'served'),
      filterUsage: body.addsUsage,
      timeoutMs,
      sink: reply,
      settled: (outcome) => {
        trial?.finish(outcome);
        this.#note(route, assignment.variant, 'served', outcome);
        if (body.stored) this.#dependencies.issuedIds.note(outcome.facts?.issuedIds ?? [], assignment.upstream.name);
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
    body: RequestBody,
    active: ActiveSplit,
    assignment: Assignment,
    startedWallMs: number,
  ): MirrorCopy | null {
    if (assignment.mirrorTo === null) return null;
    const copy = this.#dependencies.mirror.prepare(request, body, assignment.mirrorTo.upstream);
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

/** A request that the router refuses is no trial: no variant has seen it. */
function refuse(response: ServerResponse, error: PublicError): void {
  sendAnswer(response, openAiError(error));
}
