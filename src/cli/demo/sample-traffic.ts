/** Steady traffic of many users on a route: open loop, so that a slow answer never slows the next question. */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { Variant } from '../../plan/types.js';
import { Random } from './random.js';
import { SYSTEM_PROMPT, question } from './sample-text.js';
import { TrafficTally } from './traffic-counters.js';
import type { TrafficCounters } from './traffic-counters.js';

/** What may change while the traffic runs. */
export interface TrafficBehaviour {
  readonly requestsPerSecond: number;
  /** Share of requests that ask for a stream. */
  readonly streamedShare: number;
  /** Share of requests that the client ends after the first bytes of a stream. */
  readonly abortShare: number;
  /** Share of answers that are rated. */
  readonly ratedShare: number;
  /** Share of bad ratings, by variant. */
  readonly badShare: Readonly<Record<Variant, number>>;
}

/** One request of traffic: who asks, and the whole body. */
export interface TrafficRequest {
  readonly user: string;
  readonly body: string;
}

export interface SampleTrafficOptions {
  /** Origin of the router, `http://127.0.0.1:8700`. */
  readonly router: string;
  readonly route: string;
  readonly behaviour?: Partial<TrafficBehaviour>;
  /** Number of users; 4,000 by default. */
  readonly users?: number;
  /** Most requests under way at once; 1,024 by default. */
  readonly maxInFlight?: number;
  /** Key for the router, when it asks for one. */
  readonly clientKey?: string;
  /** Ends by itself after this time, ms; runs until stopped when absent. */
  readonly durationMs?: number;
  readonly seed?: number;
  /** Requests of one's own instead of the sample questions, by their number from 0; never streamed. */
  readonly requests?: (index: number) => TrafficRequest;
}

export interface SampleTraffic {
  set(behaviour: Partial<TrafficBehaviour>): void;
  counters(): TrafficCounters;
  /** Settles when the traffic has ended and every answer is in. */
  readonly ended: Promise<TrafficCounters>;
  /** Sends nothing more and waits for the answers under way, at most `drainMs` (10 s); the rest is cut off. */
  stop(drainMs?: number): Promise<TrafficCounters>;
}

const DEFAULT_BEHAVIOUR: TrafficBehaviour = {
  requestsPerSecond: 20,
  streamedShare: 0.5,
  abortShare: 0.005,
  ratedShare: 0.3,
  badShare: { stable: 0.1, candidate: 0.1 },
};

/** How often the due requests are sent. */
const TICK_MS = 10;
/** After a standstill at most this much is made up for. */
const CATCH_UP_MS = 250;

/** Starts the traffic; it needs no router yet, requests before that are counted as failed. */
export function startSampleTraffic(options: SampleTrafficOptions): SampleTraffic {
  return new TrafficSource(options);
}

class TrafficSource implements SampleTraffic {
  readonly ended: Promise<TrafficCounters>;
  readonly #tally = new TrafficTally();
  readonly #pool: Pool;
  readonly #random: Random;
  readonly #users: number;
  readonly #maxInFlight: number;
  readonly #bodyHead: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #endsAt: number;
  readonly #requests: ((index: number) => TrafficRequest) | null;
  #behaviour: TrafficBehaviour;
  #timer: NodeJS.Timeout | null = null;
  #lastTick = performance.now();
  /** Part of a request that was due at the last tick. */
  #remainder = 0;
  #ratingsInFlight = 0;
  #state: 'running' | 'draining' | 'ended' = 'running';
  #end: () => void = () => undefined;

  constructor(options: SampleTrafficOptions) {
    this.#behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
    this.#random = new Random(options.seed ?? 1);
    this.#users = options.users ?? 4000;
    this.#maxInFlight = options.maxInFlight ?? 1024;
    this.#requests = options.requests ?? null;
    this.#bodyHead = `{"model":${JSON.stringify(options.route)},"messages":[{"role":"system","content":"${SYSTEM_PROMPT}"},{"role":"user","content":"`;
    this.#headers = {
      'content-type': 'application/json',
      ...(options.clientKey === undefined ? {} : { authorization: `Bearer ${options.clientKey}` }),
    };
    this.#endsAt = options.durationMs === undefined ? Number.POSITIVE_INFINITY : this.#lastTick + options.durationMs;
    this.#pool = new Pool(options.router, {
      connections: this.#maxInFlight + 16,
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
    });
    this.ended = new Promise((resolve) => {
      this.#end = () => resolve(this.#tally.read());
    });
    this.#timer = setTimeout(this.#tick, TICK_MS);
  }

  set(behaviour: Partial<TrafficBehaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...behaviour };
  }

  counters(): TrafficCounters {
    return this.#tally.read();
  }

  async stop(drainMs = 10_000): Promise<TrafficCounters> {
    this.#drain();
    const cutOff = setTimeout(() => void this.#pool.destroy().catch(() => undefined), drainMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(cutOff);
    }
  }

  readonly #tick = (): void => {
    const now = Math.min(performance.now(), this.#endsAt);
    const elapsedMs = Math.min(CATCH_UP_MS, now - this.#lastTick);
    this.#lastTick = now;
    const due = this.#remainder + (elapsedMs / 1000) * this.#behaviour.requestsPerSecond;
    this.#remainder = due % 1;
    for (let count = Math.floor(due); count > 0; count--) {
      if (this.#tally.inFlight < this.#maxInFlight) this.#send();
      else this.#tally.skipped += 1;
    }
    if (now >= this.#endsAt) this.#drain();
    else this.#timer = setTimeout(this.#tick, TICK_MS);
  };

  #drain(): void {
    if (this.#state !== 'running') return;
    this.#state = 'draining';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (this.#state !== 'draining' || this.#tally.inFlight > 0 || this.#ratingsInFlight > 0) return;
    this.#state = 'ended';
    void this.#pool.close().then(this.#end, this.#end);
  }

  #send(): void {
    const aborts = this.#random.chance(this.#behaviour.abortShare);
    const { user, body } = this.#requests === null ? this.#sampleRequest(aborts) : this.#requests(this.#tally.sent);
    this.#tally.sent += 1;
    this.#tally.inFlight += 1;
    this.#dispatch(
      '/v1/chat/completions',
      { ...this.#headers, 'x-user-id': user },
      body,
      new Exchange(aborts, this.#finish),
    );
  }

  /** @param aborts it will be cut off after its first bytes, so it has to be a stream */
  #sampleRequest(aborts: boolean): TrafficRequest {
    const user = `u-${this.#random.below(this.#users)}`;
    const stream = this.#random.chance(this.#behaviour.streamedShare) || aborts;
    const end = stream ? ',"stream":true}' : '}';
    return { user, body: `${this.#bodyHead}${question(this.#random.below(64))}"}],"user":"${user}"${end}` };
  }

  readonly #finish = (exchange: Exchange): void => {
    const tally = this.#tally;
    tally.inFlight -= 1;
    if (exchange.status !== 0) tally.variants[exchange.variant ?? 'unknown'] += 1;
    if (exchange.cutByClient) tally.aborted += 1;
    else if (exchange.failure !== null) tally.fail(exchange.failure);
    else {
      tally.ok += 1;
      this.#rate(exchange);
    }
    this.#endWhenIdle();
  };

  #rate({ variant, requestId }: Exchange): void {
    const { ratedShare, badShare } = this.#behaviour;
    const rates = this.#random.chance(ratedShare);
    const mood = this.#random.uniform();
    if (!rates || variant === null || requestId === null || this.#ratingsInFlight >= this.#maxInFlight) return;
    this.#tally.ratings.sent += 1;
    this.#ratingsInFlight += 1;
    const body = `{"request_id":"${requestId}","thumb":"${mood < badShare[variant] ? 'down' : 'up'}"}`;
    this.#dispatch('/v1/feedback', this.#headers, body, new Exchange(false, this.#finishRating));
  }

  readonly #finishRating = (exchange: Exchange): void => {
    this.#ratingsInFlight -= 1;
    this.#tally.ratings[exchange.failure === null ? 'accepted' : 'failed'] += 1;
    this.#endWhenIdle();
  };

  #dispatch(path: string, headers: Readonly<Record<string, string>>, body: string, exchange: Exchange): void {
    try {
      this.#pool.dispatch({ path, method: 'POST', headers: { ...headers }, body }, exchange);
    } catch (error) {
      exchange.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** One request under way: the cheapest way undici has, without a stream object for each answer. */
class Exchange implements Dispatcher.DispatchHandler {
  status = 0;
  variant: Variant | null = null;
  requestId: string | null = null;
  failure: string | null = null;
  cutByClient = false;
  readonly #aborts: boolean;
  readonly #done: (exchange: Exchange) => void;
  #finished = false;

  constructor(aborts: boolean, done: (exchange: Exchange) => void) {
    this.#aborts = aborts;
    this.#done = done;
  }

  /** undici asks for it although it has nothing to tell. */
  onRequestStart(): void {}

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.status = status;
    const variant = headers['x-sluice-variant'];
    const requestId = headers['x-sluice-request-id'];
    if (variant === 'stable' || variant === 'candidate') this.variant = variant;
    if (typeof requestId === 'string') this.requestId = requestId;
    if (status < 200 || status > 299) this.failure = String(status);
  }

  onResponseData(controller: Dispatcher.DispatchController): void {
    if (!this.#aborts || this.failure !== null) return;
    this.cutByClient = true;
    controller.abort(new Error('ended by the client'));
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_: unknown, error: Error): void {
    this.failure ??= 'code' in error ? String(error.code) : error.name;
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#done(this);
  }
}
