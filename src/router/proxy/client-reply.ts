import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ErrorClass } from '../../evidence/record.js';
import { sendAnswer } from '../http-answer.js';
import { openAiError, upstreamError } from '../public/openai-error.js';
import { isEventStream } from '../reading/read-answer.js';
import type { AnswerSink } from './exchange.js';
import { responseHeaders } from './headers.js';

/** How far the router reads ahead of a slow client, in bytes, so that its speed does not enter the upstream's latency. */
const READ_AHEAD_BYTES = 256 * 1024;

/** What holds an upstream back while its client does not keep up. */
interface Backpressure {
  pause(): void;
  resume(): void;
}

/** The client's end of an exchange. */
export class ClientReply implements AnswerSink {
  readonly #response: ServerResponse;
  readonly #upstream: string;
  readonly #ownHeaders: Readonly<Record<string, string>>;
  readonly #rewritten: boolean;
  readonly #keepsAlive: () => boolean;
  backpressure: Backpressure | null = null;
  /** Status and headers that nobody has seen yet. */
  #held: { readonly status: number; readonly headers: IncomingHttpHeaders } | null = null;

  /** `rewritten`: a stream that something is taken out of. `keepsAlive` is asked when the answer begins. */
  constructor(
    response: ServerResponse,
    upstream: string,
    ownHeaders: Readonly<Record<string, string>>,
    rewritten: boolean,
    keepsAlive: () => boolean = () => true,
  ) {
    this.#keepsAlive = keepsAlive;
    this.#response = response;
    this.#upstream = upstream;
    this.#ownHeaders = ownHeaders;
    this.#rewritten = rewritten;
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.#held = { status, headers };
    // A stream's headers must not wait for its first token; any other's go with the first byte, since until then there
    // may still be a proper error.
    if (!isEventStream(headers)) return;
    this.#begin();
    this.#response.flushHeaders();
  }

  data(chunk: Buffer): void {
    if (this.#response.destroyed) return;
    this.#begin();
    if (this.#response.write(chunk) || this.#response.writableLength < READ_AHEAD_BYTES) return;
    this.backpressure?.pause();
    this.#response.once('drain', () => this.backpressure?.resume());
  }

  end(): void {
    this.#begin();
    this.#response.end();
  }

  /** Before the first byte there is a proper answer; after it only an end that no client takes for a whole one. */
  failed(errorClass: ErrorClass): void {
    this.#endConnection();
    if (this.#response.headersSent) this.#response.destroy();
    else {
      const error = upstreamError(errorClass, this.#upstream);
      sendAnswer(this.#response, openAiError({ ...error, headers: this.#ownHeaders }));
    }
  }

  #begin(): void {
    if (this.#held === null || this.#response.destroyed) return;
    const { status, headers } = this.#held;
    this.#held = null;
    this.#endConnection();
    this.#response.writeHead(status, responseHeaders(headers, this.#ownHeaders, this.#rewritten));
  }

  #endConnection(): void {
    if (!this.#keepsAlive() && !this.#response.headersSent) this.#response.shouldKeepAlive = false;
  }
}
