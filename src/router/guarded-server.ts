import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerHeaders, sendAnswer } from './http-answer.js';
import type { HttpAnswer } from './http-answer.js';
import { errorCode } from './log.js';
import type { HttpLimits } from '../plan/http-limits.js';
import { ALLOWED_METHODS, requestProblem, wireProblem } from './http-problem.js';
import type { HttpProblem } from './http-problem.js';
import { awaitsInvitation } from './body/invite-body.js';

export interface GuardedServerOptions {
  readonly limits: HttpLimits;
  /** A refusal in the shape of this API. */
  readonly refusal: (problem: HttpProblem) => HttpAnswer;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** How often Node looks for requests that do not come to their end. */
const CHECK_MS = 1_000;
/** How long a refused peer may go on sending before its connection is cut: a cut at once would take our answer with it. */
const LINGER_MS = 1_000;

/**
 * A server of HTTP/1.1 that refuses whatever two parsers could read in two ways (RFC 9112 §11.2), and says so in the shape
 * of its API. The parser's own strictness does most of it; here is what it leaves open.
 */
export function createGuardedServer(options: GuardedServerOptions): Server {
  const { limits } = options;
  /** Answers that have begun to be owed on a connection, in their order. */
  const owed = new WeakMap<Duplex, Set<ServerResponse>>();
  const broken = new WeakSet<Duplex>();

  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const answers = owed.get(request.socket) ?? expectAnswers(request.socket, owed);
    answers.add(response);
    response.once('close', () => answers.delete(response));
    const problem = requestProblem(request);
    if (problem === null) options.handle(request, response);
    else refuse(response, options.refusal(problem));
  };

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: Math.max(limits.bodyTimeoutMs, limits.headersTimeoutMs),
      connectionsCheckingInterval: CHECK_MS,
      // Ours says why.
      requireHostHeader: false,
    },
    take,
  );
  // Node drops what exceeds a count, which could be a credential; their size is limited instead.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    awaitsInvitation(request, response);
    take(request, response);
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const message = 'only "100-continue" can be expected here';
    refuse(response, options.refusal({ status: 417, code: 'expectation-unknown', message }));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    const message = 'this is no tunnel; send requests for paths that begin with /v1/';
    refuseOnWire(socket, options.refusal({ status: 405, code: 'method-unknown', message, allow: ALLOWED_METHODS }));
  });
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (broken.has(socket)) return;
    broken.add(socket);
    // One that was opened for later and never used has asked nothing that could be answered.
    const isSilent = socket instanceof Socket && socket.bytesRead === 0;
    if (!socket.writable || isSilent || errorCode(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const answers = [...(owed.get(socket) ?? [])];
    const last = answers.at(-1);
    // The body of the last request broke, or what came after it: then that one is still to be answered, and first.
    const breaking = last !== undefined && !last.req.complete ? last : null;
    const before = breaking === null ? last : answers.at(-2);
    const tell = (): void => {
      if (breaking?.headersSent === true) socket.destroy();
      else refuseOnWire(socket, options.refusal(wireProblem(error, limits)));
    };
    if (before === undefined) tell();
    else before.once('close', tell);
  });
  return server;
}

/**
 * When a connection goes, Node tells only the answer whose turn it is; those that wait behind it would never hear of it, and
 * their upstreams would work on for nobody.
 */
function expectAnswers(socket: Duplex, owed: WeakMap<Duplex, Set<ServerResponse>>): Set<ServerResponse> {
  const answers = new Set<ServerResponse>();
  owed.set(socket, answers);
  socket.once('close', () => {
    for (const response of answers) {
      if (response.socket !== null) continue;
      response.destroy();
      response.emit('close');
    }
  });
  return answers;
}

function refuse(response: ServerResponse, answer: HttpAnswer): void {
  response.shouldKeepAlive = false;
  sendAnswer(response, answer);
}

/** An answer where there is no response object: the parser gave up. */
function refuseOnWire(socket: Duplex, answer: HttpAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const bytes = Buffer.from(answer.content);
  const headers = Object.entries({ ...answerHeaders(answer, bytes.length), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status} Refused\r\n${headers.join('')}\r\n`), bytes]));
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
  socket.resume();
}
