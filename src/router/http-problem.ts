import type { IncomingMessage } from 'node:http';
import type { HttpLimits } from '../plan/http-limits.js';
import { errorCode } from './log.js';

/** Why a request is refused before anyone looks at what it asks for. */
export interface HttpProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Methods that are served, for a 405. */
  readonly allow?: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
export const ALLOWED_METHODS = METHODS.join(', ');

/** What the parser lets pass and another server on the way might read differently. */
export function requestProblem(request: IncomingMessage): HttpProblem | null {
  const { method = '', url = '' } = request;
  if (!METHODS.includes(method)) {
    return { status: 405, code: 'method-unknown', message: `${method} is not served here`, allow: ALLOWED_METHODS };
  }
  if (!url.startsWith('/') && !(url === '*' && method === 'OPTIONS')) {
    const message = 'the target of a request is a path here, such as /v1/chat/completions; this is no forward proxy';
    return { status: 400, code: 'target-refused', message };
  }
  const hosts = countOfHosts(request.rawHeaders);
  if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) {
    const message = `the request has ${hosts === 0 ? 'no' : 'more than one'} Host header; send exactly one`;
    return { status: 400, code: 'request-malformed', message };
  }
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return null;
  // RFC 9112 §6.1: HTTP/1.0 knows no transfer codings, so that the end of such a request is anyone's guess.
  if (request.httpVersion !== '1.1') {
    const message = 'Transfer-Encoding in a request of HTTP/1.0; send a Content-Length';
    return { status: 400, code: 'request-malformed', message };
  }
  if (coding.toLowerCase() === 'chunked') return null;
  const message = `Transfer-Encoding "${coding}" is not understood; send "chunked" or a Content-Length`;
  return { status: 501, code: 'coding-unsupported', message };
}

/** What the parser itself refused. */
export function wireProblem(error: Error, limits: HttpLimits): HttpProblem {
  switch (errorCode(error)) {
    case 'HPE_HEADER_OVERFLOW': {
      const message = `request line and headers exceed ${limits.headerBytes} bytes (limits.headerBytes of sluice.yaml)`;
      return { status: 431, code: 'headers-too-large', message };
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, code: 'body-too-large', message: 'the extensions of a chunk are too long' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, code: 'request-timeout', message: 'the request did not come to its end in time' };
    default: {
      const reason = 'reason' in error && typeof error.reason === 'string' ? `: ${error.reason}` : '';
      return { status: 400, code: 'request-malformed', message: `the request is no valid HTTP/1.1${reason}` };
    }
  }
}

function countOfHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}
