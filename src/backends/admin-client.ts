/** One bounded HTTP call to the admin API of one member: status and checked JSON, or a typed failure. */
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { BackendError } from './backend-error.js';
import { withDeadline } from './deadline.js';
import type { Member } from './traffic-backend.js';

/** A page of evidence is a few hundred kilobytes; anything near this is no answer of a router. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface AdminCall {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Path below the member's address, already encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** Statuses whose bodies the caller reads itself; every other one is an error. */
  readonly accept: readonly number[];
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface AdminClientOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dispatcher: Dispatcher;
  /** Time for the whole call, ms. */
  readonly timeoutMs: number;
}

const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string().optional() }) });

/**
 * Calls the member once.
 * @throws BackendError `router-unauthorized` (token missing or refused), `route-unknown` (404), `router-unreachable`
 * (no connection, or no answer in time), `router-answer` (any other status, or a body that is no JSON)
 * @throws the signal's own reason when `signal` aborts
 */
export async function callAdmin(
  member: Member,
  call: AdminCall,
  options: AdminClientOptions,
  signal: AbortSignal,
): Promise<AdminAnswer> {
  const token = options.env[member.tokenEnv];
  if (token === undefined || token === '') {
    throw new BackendError(
      'router-unauthorized',
      member.address,
      `no token for router ${member.address}: set the environment variable ${member.tokenEnv} to the router's admin token`,
    );
  }
  signal.throwIfAborted();
  const { timeoutMs } = options;
  const timeout = (): Error => new DOMException('timed out', 'TimeoutError');
  try {
    return await withDeadline(signal, timeoutMs, timeout, async (limited) => {
      const response = await request(new URL(call.path, withSlash(member.address)), {
        method: call.method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        dispatcher: options.dispatcher,
        signal: limited,
      });
      return judge(member, call, response.statusCode, await readBounded(response.body, member));
    });
  } catch (error) {
    if (error instanceof BackendError) throw error;
    signal.throwIfAborted();
    throw new BackendError(
      'router-unreachable',
      member.address,
      `router ${member.address} does not answer: ${reasonOf(error, timeoutMs)}; check that it runs and that its admin listener can be reached from here`,
      { cause: error },
    );
  }
}

/** Checks a body against its schema. @throws BackendError `router-answer` naming the first path that is wrong */
export function parseAnswer<Output>(member: Member, what: string, schema: z.ZodType<Output>, body: unknown): Output {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  throw new BackendError(
    'router-answer',
    member.address,
    `router ${member.address} answered ${what} with a body that is not one: ${path}: ${issue?.message ?? 'invalid'}; check that the address is a sluice router's admin listener and of this version`,
  );
}

function judge(member: Member, call: AdminCall, status: number, text: string): AdminAnswer {
  if (call.accept.includes(status)) return { status, body: parseJson(member, text) };
  const said = errorBody.safeParse(tryJson(text));
  if (said.success && said.data.error.code === 'upstream-unknown') {
    throw new BackendError(
      'candidate-unknown',
      member.address,
      `router ${member.address} refused the split${suffix(said.data.error.message)}`,
    );
  }
  const detail = said.success ? `${said.data.error.code}${suffix(said.data.error.message)}` : `status ${status}`;
  switch (status) {
    case 401:
    case 403:
      throw new BackendError(
        'router-unauthorized',
        member.address,
        `router ${member.address} refused the token in ${member.tokenEnv}: give the worker the admin token of that router`,
      );
    case 404:
      throw new BackendError(
        'route-unknown',
        member.address,
        `router ${member.address} does not know ${call.path}: ${detail}; add the route to its sluice.yaml`,
      );
    default:
      throw new BackendError(
        'router-answer',
        member.address,
        `router ${member.address} answered ${call.method} ${call.path} with ${status}: ${detail}; its log says why`,
      );
  }
}

function suffix(message: string | undefined): string {
  return message === undefined ? '' : `: ${message.slice(0, 400)}`;
}

async function readBounded(body: Dispatcher.ResponseData['body'], member: Member): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      throw new BackendError(
        'router-answer',
        member.address,
        `router ${member.address} answered more than ${MAX_BODY_BYTES} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tryJson(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseJson(member: Member, text: string): unknown {
  const value = tryJson(text);
  if (value !== undefined) return value;
  throw new BackendError(
    'router-answer',
    member.address,
    `router ${member.address} answered something that is no JSON; check that the address is a sluice router's admin listener`,
  );
}

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}

/** The cause in words, without the request: it carries the token. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return code === null || error.message.includes(code) ? error.message : `${code} ${error.message}`.trim();
}
