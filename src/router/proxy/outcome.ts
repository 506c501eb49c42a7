import type { ErrorClass } from '../../evidence/record.js';
import { errorCode } from '../log.js';
import type { AnswerFacts } from '../reading/answer.js';

/** How one call of an upstream ended. */
export interface Outcome {
  /** `aborted`: its client ended it, which says nothing about the upstream. */
  readonly end: 'complete' | 'error' | 'aborted';
  readonly errorClass: ErrorClass | null;
  readonly status: number | null;
  /** From dispatch to the upstream's last byte, or as long as it ran. */
  readonly latencyMs: number;
  /** From dispatch to the first token of a stream. */
  readonly ttftMs: number | null;
  readonly facts: AnswerFacts | null;
  /** Of a second attempt: the client got that answer, and what counts is the first (statistics: intention to treat). */
  readonly factsOfRetry?: AnswerFacts | null;
}

/** Class of an answer that came to its end; null = a 2xx and a complete answer. */
export function classOfAnswer(status: number, complete: boolean): ErrorClass | null {
  if (status >= 500) return 'model';
  if (status === 429) return 'rate-limit';
  if (status < 200 || status >= 300) return 'refused';
  return complete ? null : 'broken';
}

/** Codes of failures before a connection stood: the request cannot have reached the upstream. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The request cannot have reached the upstream, so that it may be sent again. */
export function neverConnected(error: unknown): boolean {
  const code = errorCode(error);
  return code !== null && NOT_CONNECTED.has(code);
}

/** Class of an exchange that failed on the wire. `sent`: the request had been put on a connection. */
export function classOfFailure(error: unknown, sent: boolean): ErrorClass {
  if (!sent) return 'connect';
  return neverConnected(error) ? 'connect' : 'broken';
}
