import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { HttpLimits } from '../../plan/http-limits.js';
import type { Caller, ClientAccess } from '../client-access.js';
import { createGuardedServer } from '../guarded-server.js';
import { ALLOWED_METHODS } from '../http-problem.js';
import type { InFlight } from '../in-flight.js';
import { jsonAnswer, sendAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';
import { errorText } from '../log.js';
import type { Log } from '../log.js';
import { climbs } from './climbing-path.js';
import type { Feedback } from './feedback.js';
import { openAiError } from './openai-error.js';

/** Load balancers keep idle connections for about a minute; ours must not be the side that closes first. */
const KEEP_ALIVE_MS = 75_000;

const MODELS_PATH = '/v1/models';

export interface PublicServerOptions {
  /** Names of the routes, for `GET /v1/models`. */
  readonly routes: readonly string[];
  readonly startedAtMs: number;
  readonly access: ClientAccess;
  readonly limits: HttpLimits;
  readonly proxy: {
    handle(request: IncomingMessage, response: ServerResponse, path: string, caller: Caller): Promise<void>;
  };
  readonly feedback: Feedback;
  /** Why no traffic should be sent here; empty = ready. */
  readonly unready: () => readonly string[];
  /** False when answers end their connection: the router is about to go. */
  readonly keepsConnections: () => boolean;
  /** Holds each request until its last byte has left. */
  readonly inFlight: InFlight;
  readonly log: Log;
}

/** The listener that clients call. */
export function createPublicServer(options: PublicServerOptions): Server {
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    options.inFlight.enter();
    response.once('close', () => options.inFlight.leave());
    if (!options.keepsConnections()) response.shouldKeepAlive = false;
    handle(request, response, options).catch((error: unknown) => {
      options.log({ level: 'error', event: 'request-failed', message: errorText(error) });
      if (response.headersSent) response.destroy();
      const message = 'the router failed; its log says why';
      sendAnswer(response, openAiError({ status: 500, code: 'router-failed', message }));
    });
  };
  const server = createGuardedServer({
    limits: options.limits,
    refusal: ({ allow, ...error }) => openAiError(allow === undefined ? error : { ...error, headers: { allow } }),
    handle: take,
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function handle(request: IncomingMessage, response: ServerResponse, options: PublicServerOptions): Promise<void> {
  const path = pathOf(request.url ?? '/');
  const caller = options.access.caller(request);
  const answer = answerOf(request, path, caller, options);
  if (answer !== null) {
    sendAnswer(response, answer);
  } else if (path === '/v1/feedback') {
    const taken = await options.feedback.handle(request);
    if (taken !== null) sendAnswer(response, taken);
  } else {
    await options.proxy.handle(request, response, path, caller);
  }
}

/** What needs no upstream; null for a call that goes on. */
function answerOf(
  request: IncomingMessage,
  path: string,
  caller: Caller,
  options: PublicServerOptions,
): HttpAnswer | null {
  if (request.method === 'OPTIONS')
    return { status: 204, contentType: null, content: '', headers: { allow: ALLOWED_METHODS } };
  if (path === '/healthz') return jsonAnswer(200, { status: 'ok' });
  if (path === '/readyz') {
    const reasons = options.unready();
    return reasons.length === 0 ? jsonAnswer(200, { ready: true }) : jsonAnswer(503, { ready: false, reasons });
  }
  if (!path.startsWith('/v1/') || climbs(path)) {
    const message = `${path} is not served here; calls begin with /v1/`;
    return openAiError({ status: 404, code: 'path-unknown', message });
  }
  if (!caller.welcome) {
    const message = 'the key in the Authorization header is missing or unknown; send "Bearer" and a client key';
    const headers = { 'www-authenticate': 'Bearer' };
    return openAiError({ status: 401, code: 'client-key-invalid', message, headers });
  }
  const { method } = request;
  return method === 'GET' || method === 'HEAD' ? modelsAnswer(path, caller, options) : null;
}

/** `GET /v1/models` and `GET /v1/models/{route}`. */
function modelsAnswer(path: string, caller: Caller, options: PublicServerOptions): HttpAnswer | null {
  const created = Math.floor(options.startedAtMs / 1000);
  const routes = options.routes.filter((route) => caller.mayCall(route));
  const models = routes.map((id) => ({ id, object: 'model', created, owned_by: 'sluice' }));
  if (path === MODELS_PATH) return jsonAnswer(200, { object: 'list', data: models });
  if (!path.startsWith(`${MODELS_PATH}/`)) return null;
  const name = decoded(path.slice(MODELS_PATH.length + 1));
  const model = models.find(({ id }) => id === name);
  if (model !== undefined) return jsonAnswer(200, model);
  const message = `model "${name}" is not a route; routes are: ${routes.join(', ')}`;
  return openAiError({ status: 404, code: 'route-unknown', message, param: 'model' });
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
