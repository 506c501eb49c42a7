import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ErrorClass } from '../../evidence/record.js';
import type { ApiKind } from '../body/api-path.js';
import type { Clock } from '../clock.js';
import type { AnswerFacts, AnswerReading } from '../reading/answer.js';
import { readAnswer } from '../reading/read-answer.js';
import { classOfAnswer, classOfFailure, neverConnected } from './outcome.js';
import type { Outcome } from './outcome.js';
import { upstreamPath } from './upstream.js';
import type { Upstream } from './upstream.js';

/** Where an answer goes while it comes. A mirrored one goes nowhere. */
export interface AnswerSink {
  start(status: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  failed(errorClass: ErrorClass): void;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly upstream: Upstream;
  readonly kind: ApiKind;
  readonly method: Dispatcher.HttpMethod;
  /** As the client called it: `/v1/…` with its query. */
  readonly url: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  /** Take the usage chunk out again. */
  readonly filterUsage: boolean;
  readonly timeoutMs: number;
  /** A connection that never stood is tried once more: not a byte of the request has left. */
  readonly retries: boolean;
  readonly sink: AnswerSink | null;
  /** Once, after the last byte or whatever else ended it. */
  readonly settled: (outcome: Outcome) => void;
}

/** A server that restarts, or a name whose first address is gone, is often there by then. */
const RETRY_DELAY_MS = 100;

/** Why the router itself ends a call. */
class ExchangeEnded extends Error {
  override readonly name = 'ExchangeEnded';
}

/**
 * One call of one upstream: dispatched, timed, read while it passes. Its time runs from dispatch to the upstream's last
 * byte, less what it had to wait for a slow client.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #dispatchedAtMs: number;
  readonly #timer: NodeJS.Timeout;
  #sink: AnswerSink | null;
  #controller: Dispatcher.DispatchController | null = null;
  #reading: AnswerReading | null = null;
  #status: number | null = null;
  #settled = false;
  /** The answer says by itself where it ends, rather than by the end of its connection. */
  #framed = false;
  /** How the first attempt ended, when there was a second. */
  #firstAttempt: Outcome | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #pausedAtMs: number | null = null;
  #pausedMs = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#dispatchedAtMs = options.clock.monotonicMs();
    this.#timer = setTimeout(() => this.#timedOut(), options.timeoutMs);
  }

  /** Sends the request. An error of ours in it (a header that cannot be written) settles like any other failure. */
  dispatch(): void {
    const { upstream, method, url, headers, body } = this.#options;
    try {
      upstream.pool.dispatch({ path: upstreamPath(upstream, url), method, headers, body }, this);
    } catch (error) {
      this.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The client has gone: the upstream is told so, and the call is a trial without event. */
  abort(): void {
    if (this.#settled) return;
    this.#settle('aborted', null, this.#elapsedMs());
    this.#controller?.abort(new ExchangeEnded('the client has gone'));
  }

  /** The client has gone, and the answer is read to its end all the same. */
  detach(): void {
    this.#sink = null;
    this.resume();
  }

  /** The client does not keep up. */
  pause(): void {
    if (this.#pausedAtMs !== null || this.#settled) return;
    this.#pausedAtMs = this.#options.clock.monotonicMs();
    this.#controller?.pause();
  }

  resume(): void {
    if (this.#pausedAtMs === null) return;
    this.#pausedMs += this.#options.clock.monotonicMs() - this.#pausedAtMs;
    this.#pausedAtMs = null;
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new ExchangeEnded('ended before it was sent'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx come before the answer.
    if (this.#settled || status < 200) return;
    this.#status = status;
    this.#framed =
      status === 204 ||
      this.#options.upstream.http2 ||
      headers['content-length'] !== undefined ||
      headers['transfer-encoding'] !== undefined;
    this.#reading = readAnswer(this.#options.kind, status, headers, this.#options.filterUsage);
    this.#sink?.start(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled || this.#reading === null) return;
    const visible = this.#reading.push(chunk, this.#options.clock.monotonicMs());
    if (visible.length > 0) this.#sink?.data(visible);
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    const latencyMs = this.#elapsedMs();
    // Nothing but 1xx came, or what called itself one.
    if (this.#reading === null || this.#status === null) {
      this.#fail('broken', latencyMs);
      return;
    }
    const rest = this.#reading.flush();
    if (rest.length > 0) this.#sink?.data(rest);
    const facts = this.#reading.facts();
    const errorClass = classOfAnswer(this.#status, facts.complete);
    // The end of a connection looks like the end of an answer: passed on as one, the client could not tell either.
    if (errorClass === 'broken' && !this.#framed && this.#options.method !== 'HEAD') {
      this.#fail('broken', latencyMs);
      return;
    }
    this.#sink?.end();
    this.#settle(errorClass === null ? 'complete' : 'error', errorClass, latencyMs, facts);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#settled) return;
    if (this.#mayRetry(error)) {
      const latencyMs = this.#elapsedMs();
      this.#firstAttempt = { end: 'error', errorClass: 'connect', status: null, latencyMs, ttftMs: null, facts: null };
      this.#retryTimer = setTimeout(() => this.dispatch(), RETRY_DELAY_MS);
      return;
    }
    this.#fail(classOfFailure(error, this.#controller !== null), this.#elapsedMs());
  }

  #mayRetry(error: Error): boolean {
    return this.#options.retries && this.#controller === null && this.#firstAttempt === null && neverConnected(error);
  }

  #timedOut(): void {
    if (this.#settled) return;
    // A client that stopped reading held it up: its fault, and no sign of the upstream's.
    if (this.#pausedAtMs !== null) {
      this.#sink?.failed('timeout');
      this.abort();
      return;
    }
    this.#fail('timeout', this.#options.timeoutMs);
    this.#controller?.abort(new ExchangeEnded('timed out'));
  }

  #fail(errorClass: ErrorClass, latencyMs: number): void {
    this.#sink?.failed(errorClass);
    this.#settle('error', errorClass, latencyMs);
  }

  #settle(
    end: Outcome['end'],
    errorClass: ErrorClass | null,
    latencyMs: number,
    facts: AnswerFacts | null = null,
  ): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (this.#firstAttempt !== null) {
      this.#options.settled({ ...this.#firstAttempt, factsOfRetry: facts });
      return;
    }
    const firstTokenAtMs = this.#reading?.firstTokenAtMs ?? null;
    this.#options.settled({
      end,
      errorClass,
      status: this.#status,
      latencyMs,
      ttftMs: firstTokenAtMs === null ? null : firstTokenAtMs - this.#dispatchedAtMs,
      facts,
    });
  }

  #elapsedMs(): number {
    const now = this.#options.clock.monotonicMs();
    const paused = this.#pausedAtMs === null ? this.#pausedMs : this.#pausedMs + now - this.#pausedAtMs;
    // Sums of fractions may end a hair below zero.
    return Math.max(0, now - this.#dispatchedAtMs - paused);
  }
}
