import type { ErrorClass } from '../../evidence/record.js';
import { jsonAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';

/** What the router says by itself where a client expects OpenAI's API. */
export interface PublicError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The field of the body that is meant. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The error in the shape that OpenAI's clients read, with a code of ours. */
export function openAiError({ status, code, message, param, headers }: PublicError): HttpAnswer {
  // 501: the client asked for what this server does not know.
  const type = status < 500 || status === 501 ? 'invalid_request_error' : 'upstream_error';
  return jsonAnswer(status, { error: { message, type, param: param ?? null, code } }, headers);
}

/** The answer for an upstream that gave none. */
export function upstreamError(errorClass: ErrorClass, upstream: string): PublicError {
  switch (errorClass) {
    case 'connect': {
      const message = `upstream ${upstream} could not be reached; check that it runs and that its url is right`;
      return { status: 502, code: 'upstream-connect', message };
    }
    case 'timeout':
      return {
        status: 504,
        code: 'upstream-timeout',
        message: `upstream ${upstream} did not answer within the route's time limit`,
      };
    case 'model':
    case 'refused':
    case 'rate-limit':
    case 'broken':
      return {
        status: 502,
        code: 'upstream-broken',
        message: `upstream ${upstream} broke off or answered what is no HTTP`,
      };
  }
}
