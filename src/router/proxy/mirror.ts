import type { IncomingMessage } from 'node:http';
import type { Dispatcher } from 'undici';
import { bodyFor } from '../body/request-body.js';
import type { RequestBody } from '../body/request-body.js';
import type { Clock } from '../clock.js';
import type { InFlight } from '../in-flight.js';
import type { Trial } from '../meter/generation-meter.js';
import type { DropReason } from '../meter/record-cell.js';
import type { MirrorBudget } from '../mirror-budget.js';
import { Exchange } from './exchange.js';
import { requestHeaders } from './headers.js';
import type { HeaderChoice } from './headers.js';
import type { Outcome } from './outcome.js';
import { timeLimit } from './upstream.js';
import type { Upstream } from './upstream.js';

/** A copy that only waits to be sent: its slot is taken and its bytes are made, so that nothing of ours can fail any more. */
export interface MirrorCopy {
  readonly upstream: Upstream;
  readonly headers: string[];
  readonly bytes: Buffer;
}

export interface MirrorDependencies {
  readonly clock: Clock;
  readonly budget: MirrorBudget;
  readonly inFlight: InFlight;
}

/** Sends copies of requests where no user waits for the answer. */
export class Mirror {
  readonly #dependencies: MirrorDependencies;

  constructor(dependencies: MirrorDependencies) {
    this.#dependencies = dependencies;
  }

  /** Decides before anything is sent whether there is a copy; a reason = there is none. */
  prepare(
    request: IncomingMessage,
    body: RequestBody,
    upstream: Upstream,
    headers: HeaderChoice,
  ): MirrorCopy | DropReason {
    const refusal = this.#dependencies.budget.take();
    if (refusal !== null) return refusal;
    return {
      upstream,
      headers: requestHeaders(request, upstream, headers.keepsCredentials, headers.decoded),
      bytes: bodyFor(body, upstream.model, 'mirrored'),
    };
  }

  /** After the user's request is on its way, in a later turn of the event loop; the answer is read to its end. */
  send(
    copy: MirrorCopy,
    call: {
      readonly body: RequestBody;
      readonly method: Dispatcher.HttpMethod;
      readonly url: string;
      readonly timeoutMs: number;
      readonly trial: Trial;
      readonly settled: (outcome: Outcome) => void;
    },
  ): void {
    const { clock, budget, inFlight } = this.#dependencies;
    inFlight.enter();
    setImmediate(() => {
      new Exchange({
        clock,
        upstream: copy.upstream,
        kind: call.body.kind,
        method: call.method,
        url: call.url,
        headers: copy.headers,
        body: copy.bytes,
        filterUsage: false,
        timeoutMs: timeLimit(copy.upstream, call.timeoutMs),
        // Nobody waits for it, and what counts is the first attempt.
        retries: false,
        sink: null,
        settled: (outcome) => {
          const usage = outcome.facts?.usage ?? null;
          budget.release(usage === null ? 0 : usage.promptTokens + usage.completionTokens);
          if (copy.upstream.pool.destroyed) call.trial.drop('closing');
          else call.trial.finish(outcome);
          call.settled(outcome);
          inFlight.leave();
        },
      }).dispatch();
    });
  }
}
