import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { HttpLimits } from '../../plan/http-limits.js';
import { createGuardedServer } from '../guarded-server.js';
import { jsonAnswer, sendAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';
import { errorText } from '../log.js';
import type { Log } from '../log.js';
import { bearerToken } from '../secret.js';
import type { Secret } from '../secret.js';
import { answerRouteCall } from './route-calls.js';
import type { AdminRoute } from './route-calls.js';
import { adminError } from './admin-error.js';

export interface AdminServerOptions {
  readonly token: Secret;
  readonly routes: ReadonlyMap<string, AdminRoute>;
  /** Prometheus text. */
  readonly metrics: () => string;
  readonly limits: HttpLimits;
  readonly log: Log;
}

const ROUTES_PATH = '/admin/v1/routes';
const CALL_PATH = /^\/admin\/v1\/routes\/(.+?)\/(split|lease|evidence|evidence\/ack)$/;

/** The listener of whoever runs the rollouts. Everything on it needs the token. */
export function createAdminServer(options: AdminServerOptions): Server {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, options)
      .catch((error: unknown) => {
        options.log({ level: 'error', event: 'admin-call-failed', message: errorText(error) });
        return adminError(500, 'router-failed', errorText(error));
      })
      .then((result) => {
        if (result !== null) sendAnswer(response, result);
      })
      .catch((error: unknown) => {
        options.log({ level: 'error', event: 'admin-answer-failed', message: errorText(error) });
      });
  };
  return createGuardedServer({
    limits: options.limits,
    refusal: ({ status, code, message, allow }) => {
      const refusal = adminError(status, code, message);
      return allow === undefined ? refusal : { ...refusal, headers: { allow } };
    },
    handle,
  });
}

/** null when the caller has gone. */
async function answer(request: IncomingMessage, options: AdminServerOptions): Promise<HttpAnswer | null> {
  const presented = bearerToken(request.headers.authorization);
  if (presented === null || !options.token.matches(presented)) {
    const message =
      'the admin token is missing or wrong; send "Authorization: Bearer" with the token that admin.tokenEnv of sluice.yaml names';
    return { ...adminError(401, 'unauthorized', message), headers: { 'www-authenticate': 'Bearer' } };
  }
  const url = urlOf(request.url ?? '/');
  if (url.pathname === '/metrics' && request.method === 'GET') {
    return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', content: options.metrics() };
  }
  if (url.pathname === ROUTES_PATH && request.method === 'GET') {
    return jsonAnswer(200, { routes: [...options.routes.values()].map(({ control }) => control.view()) });
  }
  const [, encodedName, resource] = CALL_PATH.exec(url.pathname) ?? [];
  if (encodedName === undefined || resource === undefined) {
    const message = `${url.pathname} is not part of the admin API; begin with ${ROUTES_PATH}`;
    return adminError(404, 'path-unknown', message);
  }
  const name = decodeName(encodedName);
  const route = options.routes.get(name);
  if (route === undefined) {
    const message = `route "${name}" is not served here; routes are: ${[...options.routes.keys()].join(', ')}`;
    return adminError(404, 'route-unknown', message);
  }
  return answerRouteCall(request, { route, resource, query: url.searchParams });
}

/** The target as it stands: a path that begins with two slashes is no host. */
function urlOf(target: string): { readonly pathname: string; readonly searchParams: URLSearchParams } {
  const query = target.indexOf('?');
  return query < 0
    ? { pathname: target, searchParams: new URLSearchParams() }
    : { pathname: target.slice(0, query), searchParams: new URLSearchParams(target.slice(query)) };
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
