import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { RatingRecord } from '../../evidence/record.js';
import { readBody } from '../body/read-body.js';
import type { Clock } from '../clock.js';
import { jsonAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';
import { parsed } from '../reading/json.js';
import type { RequestIds } from '../request-id.js';
import { openAiError } from './openai-error.js';

const BODY_LIMIT_BYTES = 64 * 1024;
/** Nonces remembered, to spare the ledger what it would throw away anyway. */
const REMEMBERED = 100_000;

const feedbackSchema = z
  .object({
    request_id: z.string(),
    thumb: z.enum(['up', 'down']).optional(),
    /** 1 = worst … 5 = best. */
    score: z.number().int().min(1).max(5).optional(),
  })
  .refine((body) => (body.thumb === undefined) !== (body.score === undefined), {
    message: 'give exactly one of "thumb" ("up" or "down") and "score" (1 to 5)',
  });

export interface FeedbackDependencies {
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  /** Files a rating under its rollout, durably; false when no route of this router had that rollout. */
  readonly file: (rating: RatingRecord) => Promise<boolean>;
}

/** `POST /v1/feedback {request_id, thumb | score}`: a rating counts once, for the request whose id it names. */
export class Feedback {
  readonly #dependencies: FeedbackDependencies;
  readonly #seen = new Set<string>();

  constructor(dependencies: FeedbackDependencies) {
    this.#dependencies = dependencies;
  }

  /** null when the client has gone. */
  async handle(request: IncomingMessage): Promise<HttpAnswer | null> {
    if (request.method !== 'POST') {
      const headers = { allow: 'POST' };
      return openAiError({ status: 405, code: 'method-unknown', message: 'feedback is sent by POST', headers });
    }
    const read = await readBody(request, BODY_LIMIT_BYTES);
    if (read.kind === 'cut-off') return null;
    const body = read.kind === 'read' ? feedbackSchema.safeParse(parsed(read.bytes.toString('utf8'))) : null;
    if (body === null || !body.success) return malformed(body?.error.issues[0]);
    const mark = this.#dependencies.requestIds.verify(body.data.request_id);
    if (mark === null) {
      const message = 'request_id was not issued here; send the x-sluice-request-id header of the answer that is rated';
      return openAiError({ status: 400, code: 'request-id-invalid', message, param: 'request_id' });
    }
    if (mark.rollout === null) return taken(false, 'no rollout compared this request');
    if (this.#seen.has(mark.nonce)) return taken(false, 'this request has been rated already');
    const { score } = body.data;
    // Before it is filed: the same rating may come again while the first is on its way to disk.
    this.#remember(mark.nonce);
    let filed = false;
    try {
      filed = await this.#dependencies.file({
        nonce: mark.nonce,
        rollout: mark.rollout,
        generation: mark.generation,
        stratum: mark.stratum,
        variant: mark.variant,
        userBucket: mark.userBucket,
        requestStartedAt: mark.startedAt,
        ratedAt: Math.round(this.#dependencies.clock.wallMs()),
        rating: score === undefined ? { kind: 'thumb', up: body.data.thumb === 'up' } : { kind: 'score', score },
      });
    } finally {
      if (!filed) this.#seen.delete(mark.nonce);
    }
    return filed ? taken(true, null) : taken(false, 'its route is not served here');
  }

  #remember(nonce: string): void {
    this.#seen.add(nonce);
    if (this.#seen.size <= REMEMBERED) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}

function malformed(issue: z.core.$ZodIssue | undefined): HttpAnswer {
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  const shape = '{"request_id", "thumb": "up"|"down"} or {"request_id", "score": 1 to 5}';
  const message = `feedback is ${shape}; ${where}${issue?.message ?? 'the body is too large'}`;
  return openAiError({ status: 400, code: 'feedback-invalid', message });
}

/** `counted`: it was filed; the ledger has the last word on whether it was the first for its request. */
function taken(counted: boolean, why: string | null): HttpAnswer {
  return jsonAnswer(202, { counted, ...(why !== null && { why }) });
}
