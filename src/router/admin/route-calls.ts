import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readBody } from '../body/read-body.js';
import { jsonAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';
import { errorText } from '../log.js';
import { parsed } from '../reading/json.js';
import type { RouteEvidence } from '../route-evidence.js';
import type { RouteControl } from '../split/route-control.js';
import { schemaProblems, splitSchema } from '../split/split-schema.js';
import { adminError } from './admin-error.js';

export interface AdminRoute {
  readonly control: RouteControl;
  readonly evidence: RouteEvidence;
}

export interface RouteCall {
  readonly route: AdminRoute;
  readonly resource: string;
  readonly query: URLSearchParams;
}

const BODY_LIMIT_BYTES = 1024 * 1024;

const leaseSchema = z.strictObject({ rollout: z.string(), generation: z.number().int() });
const acknowledgeSchema = z.strictObject({ cursor: z.string() });

/** Calls under `/admin/v1/routes/{route}/`; null when the caller has gone. */
export async function answerRouteCall(request: IncomingMessage, call: RouteCall): Promise<HttpAnswer | null> {
  const { control, evidence } = call.route;
  const method = request.method ?? '';
  switch (`${method} ${call.resource}`) {
    case 'GET split':
      return jsonAnswer(200, control.view());
    case 'PUT split':
      return withBody(request, splitSchema, (split) => putSplit(split, call));
    case 'POST lease':
      return withBody(request, leaseSchema, (body) => renewLease(body.rollout, body.generation, control));
    case 'GET evidence':
      return readEvidence(call);
    case 'POST evidence/ack':
      return withBody(request, acknowledgeSchema, async ({ cursor }) =>
        jsonAnswer(200, { acknowledged: await evidence.acknowledge(cursor) }),
      );
    default:
      return adminError(405, 'method-unknown', `${method} is not served at ${call.resource}`);
  }
}

async function putSplit(split: z.output<typeof splitSchema>, { route, query }: RouteCall): Promise<HttpAnswer> {
  const reason = query.get('takeOver');
  if (reason === '') {
    return adminError(400, 'body-invalid', 'takeOver is empty: say why another rollout is overridden');
  }
  let outcome;
  try {
    outcome = await route.control.write(split, reason === null ? null : { reason });
  } catch (error) {
    const message = `the split is obeyed but could not be saved (${errorText(error)}); repeat the call`;
    return adminError(503, 'split-not-saved', message);
  }
  switch (outcome.kind) {
    case 'confirmed':
      return jsonAnswer(200, outcome.view);
    case 'stale': {
      const { current } = outcome;
      const held = current.split.generation;
      const message = `generation ${split.generation} is not above ${held}, or differs from what was written under it; read the split and use a higher one`;
      return adminError(409, outcome.kind, message, { current });
    }
    case 'owned': {
      const { current } = outcome;
      const message = `the split of ${current.split.rollout ?? 'another rollout'} is in force; end it first, or take over with ?takeOver=<reason>`;
      return adminError(409, outcome.kind, message, { current });
    }
    case 'unknown-upstream': {
      const known = route.control.view().upstreams.join(', ');
      const message = `upstream "${outcome.upstream}" is not among upstreams of this router's sluice.yaml (${known}); add it and restart the router`;
      return adminError(422, 'upstream-unknown', message);
    }
  }
}

async function renewLease(rollout: string, generation: number, control: RouteControl): Promise<HttpAnswer> {
  const outcome = await control.renew(rollout, generation);
  switch (outcome) {
    case 'renewed':
      return jsonAnswer(200, control.view());
    case 'not-current': {
      const message = `generation ${generation} of ${rollout} is not the current split`;
      return adminError(409, outcome, message, { current: control.view() });
    }
    case 'expired': {
      const message = `the lease of generation ${generation} has run out and is never renewed; write a new generation`;
      return adminError(409, outcome, message, { current: control.view() });
    }
  }
}

async function readEvidence({ route, query }: RouteCall): Promise<HttpAnswer> {
  const rollout = query.get('rollout');
  if (rollout === null || rollout === '') {
    return adminError(400, 'query-invalid', 'name the rollout: ?rollout=<id>');
  }
  const content = await route.evidence.page(rollout, query.get('cursor'));
  return { status: 200, contentType: 'application/json', content };
}

/** Answers with the body as the schema has it, or with what is wrong with it. */
async function withBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  answer: (body: T) => Promise<HttpAnswer>,
): Promise<HttpAnswer | null> {
  const read = await readBody(request, BODY_LIMIT_BYTES);
  if (read.kind === 'cut-off') return null;
  if (read.kind === 'too-large') return adminError(413, 'body-invalid', `the body exceeds ${BODY_LIMIT_BYTES} bytes`);
  const body = schema.safeParse(parsed(read.bytes.toString('utf8')));
  return body.success ? answer(body.data) : adminError(400, 'body-invalid', schemaProblems(body.error));
}
