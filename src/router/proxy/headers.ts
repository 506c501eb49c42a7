import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Upstream } from './upstream.js';

/** They speak of one connection, not of the request (RFC 9110 §7.6.1), or are written anew by the router. */
const NEVER_TO_UPSTREAM = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'content-length',
  'expect',
  // The answer is read while it passes, so that it must come as it is.
  'accept-encoding',
]);

/** A client's credentials: for an upstream that has its own key they are none of its business. */
const CREDENTIALS = new Set(['authorization', 'api-key', 'x-api-key', 'cookie']);

const NEVER_TO_CLIENT = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const OWN_PREFIX = 'x-sluice-';

/** What becomes of a client's headers. */
export interface HeaderChoice {
  /** False when it authenticated at the router: what it sent then is the router's key. */
  readonly keepsCredentials: boolean;
  /** Its body was taken out of its encoding. */
  readonly decoded: boolean;
}

/** Headers of the upstream's request as a flat list. */
export function requestHeaders(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers'>,
  upstream: Upstream,
  keepsCredentials: boolean,
  decoded = false,
): string[] {
  const named = connectionTokens(request.headers.connection);
  const passesCredentials = keepsCredentials && !upstream.hasOwnKey;
  const headers: string[] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    const lower = name.toLowerCase();
    if (NEVER_TO_UPSTREAM.has(lower) || named?.has(lower) === true || lower.startsWith(OWN_PREFIX)) continue;
    if (decoded && lower === 'content-encoding') continue;
    if (upstream.headers.has(lower) || (!passesCredentials && CREDENTIALS.has(lower))) continue;
    headers.push(name, request.rawHeaders[index + 1] ?? '');
  }
  for (const [name, value] of upstream.headers) headers.push(name, value);
  headers.push('accept-encoding', 'identity');
  return headers;
}

/** Headers of the client's answer. `rewritten`: its length may change on the way. */
export function responseHeaders(
  headers: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
  rewritten: boolean,
): Record<string, string | string[]> {
  const named = connectionTokens(headers.connection);
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NEVER_TO_CLIENT.has(name) || named?.has(name) === true) continue;
    if (name.startsWith(OWN_PREFIX) || (rewritten && name === 'content-length')) continue;
    result[name] = Array.isArray(value) ? value.map(writable) : writable(value);
  }
  return Object.assign(result, own);
}

/** undici gives a header that came twice as a list, whatever its types say. */
function connectionTokens(header: string | readonly string[] | undefined): ReadonlySet<string> | null {
  if (header === undefined || header === 'keep-alive' || header === 'close') return null;
  return new Set(
    String(header)
      .split(',')
      .map((token) => token.trim().toLowerCase()),
  );
}

/** undici decodes header bytes as UTF-8, node:http writes only Latin-1: the bytes themselves are what passes. */
function writable(value: string): string {
  return WRITABLE.test(value) ? value : Buffer.from(value).toString('latin1');
}

const WRITABLE = /^[\t\x20-\x7e\x80-\xff]*$/;
