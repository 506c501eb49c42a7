import type { IncomingMessage } from 'node:http';
import { apiKind } from '../body/api-path.js';
import { decodeBody } from '../body/decode-body.js';
import { formBoundary, formModels } from '../body/form-models.js';
import { readRequestBody, unreadBody } from '../body/request-body.js';
import type { RequestBody } from '../body/request-body.js';
import type { Caller } from '../client-access.js';
import type { PublicError } from '../public/openai-error.js';
import type { ActiveSplit } from '../split/active-split.js';
import type { ProxyDependencies, ProxyRoute } from './dependencies.js';

/** Names the route where the body does not. It names a route and nothing else: never a variant, never an upstream. */
export const ROUTE_HEADER = 'x-sluice-route';

/** Whom a request is for. */
export interface Addressee {
  readonly body: RequestBody;
  readonly active: ActiveSplit;
  readonly route: ProxyRoute;
  /** The body was taken out of its encoding, which its headers must no longer name. */
  readonly decoded: boolean;
}

type Dependencies = Pick<ProxyDependencies, 'table' | 'routes' | 'limits'>;

/** Reads as much of a body as it takes to know its route; an error = nobody is addressed. */
export async function addresseeOf(
  request: Pick<IncomingMessage, 'headers'>,
  path: string,
  bytes: Buffer,
  caller: Caller,
  dependencies: Dependencies,
): Promise<Addressee | PublicError> {
  const named = routeHeader(request);
  const encoding = request.headers['content-encoding'];
  const encoded = encoding !== undefined && encoding !== 'identity' && bytes.length > 0;
  let plain = bytes;
  // With a header there is no need to look inside.
  if (encoded && named === null) {
    const read = await decodeBody(bytes, encoding, dependencies.limits.bodyBytes);
    if (read.kind !== 'decoded') return encodingProblem(read.kind, encoding, dependencies);
    plain = read.bytes;
  }
  const body = readable(request, path, plain, encoded && named !== null);
  if (body.model !== null && named !== null && named !== body.model) {
    const message = `the body names "${body.model}" and the header ${ROUTE_HEADER} "${named}"; name one route`;
    return { status: 400, code: 'route-conflict', message, param: 'model' };
  }
  const name = body.model ?? named;
  if (name === null) return unaddressed(body, caller, dependencies);
  const active = dependencies.table.current.get(name);
  const route = dependencies.routes.get(name);
  if (active === undefined || route === undefined || !caller.mayCall(name)) return unknown(name, caller, dependencies);
  return { body, active, route, decoded: encoded && named === null };
}

/** The route that the header names; null without one. */
export function routeHeader(request: Pick<IncomingMessage, 'headers'>): string | null {
  const header = request.headers[ROUTE_HEADER];
  return typeof header === 'string' && header !== '' ? header : null;
}

/** A route that does not exist, and one that the caller has no key for, look alike to it. */
export function unknown(name: string, caller: Caller, { routes }: Pick<Dependencies, 'routes'>): PublicError {
  const message = `model "${name}" is not a route; routes are: ${namesFor(caller, routes)}`;
  return { status: 404, code: 'route-unknown', message, param: 'model' };
}

function readable(
  request: Pick<IncomingMessage, 'headers'>,
  path: string,
  bytes: Buffer,
  opaque: boolean,
): RequestBody {
  const kind = apiKind(path);
  if (opaque) return unreadBody(bytes, kind, null);
  const boundary = formBoundary(request.headers['content-type']);
  if (boundary !== null) return unreadBody(bytes, kind, formModels(bytes, boundary));
  return readRequestBody(bytes, kind) ?? unreadBody(bytes, kind, null);
}

function unaddressed(body: RequestBody, caller: Caller, { routes }: Dependencies): PublicError {
  const advice = `or name the route in the header ${ROUTE_HEADER}; routes are: ${namesFor(caller, routes)}`;
  if (body.format === 'opaque' && body.bytes.length > 0) {
    const message = `the body is not a JSON object or a form; routes are chosen by its "model". Send one, ${advice}`;
    return { status: 400, code: 'body-invalid', message };
  }
  const message = `the body names no model. Name a route as its "model", ${advice}`;
  return { status: 400, code: 'model-missing', message, param: 'model' };
}

function encodingProblem(
  kind: 'too-large' | 'broken' | 'unknown',
  encoding: string,
  { limits }: Dependencies,
): PublicError {
  switch (kind) {
    case 'too-large':
      return {
        status: 413,
        code: 'body-too-large',
        message: `the body exceeds ${limits.bodyBytes} bytes when decoded`,
      };
    case 'broken':
      return { status: 400, code: 'body-invalid', message: `the body is not what its encoding, "${encoding}", says` };
    case 'unknown': {
      const message = `content-encoding "${encoding}" cannot be read for a model's name; send gzip, deflate, br or the body as it is, or name the route in the header ${ROUTE_HEADER}`;
      return { status: 415, code: 'encoding-unsupported', message };
    }
  }
}

function namesFor(caller: Caller, routes: ProxyDependencies['routes']): string {
  return [...routes.keys()].filter((route) => caller.mayCall(route)).join(', ');
}
