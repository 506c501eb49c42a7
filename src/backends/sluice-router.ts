/** The traffic backend over the admin API of sluice's own router. */
import { Agent } from 'undici';
import type { EvidencePage, EvidenceRecord, RatingRecord } from '../evidence/record.js';
import type { SluiceConfig } from '../plan/config.js';
import type { RolloutId, RouteName } from '../plan/ids.js';
import type { Split } from '../plan/split.js';
import type { z } from 'zod';
import { callAdmin, parseAnswer } from './admin-client.js';
import type { AdminClientOptions } from './admin-client.js';
import { evidenceEnvelopeSchema, refusalSchema, routeViewSchema } from './admin-schemas.js';
import { BackendError } from './backend-error.js';
import { evidenceRecordSchema, nameOfRecord, ratingRecordSchema } from './evidence-schemas.js';
import { emptyFleet, joinMembers, resolveFleet, systemResolve } from './fleet.js';
import type { ResolveName } from './fleet.js';
import type { Member, RouteView, TrafficBackend, WriteOptions, WriteOutcome } from './traffic-backend.js';

export interface SluiceRouterBackendOptions {
  /** Read at each call, so that a changed fleet is seen. */
  readonly config: () => Pick<SluiceConfig, 'fleet'>;
  /** Where tokens are: the environment by the names in `tokenEnv`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Time for one call, ms. @default 5000 */
  readonly timeoutMs?: number;
  readonly resolve?: ResolveName;
  /** Told when a part of the fleet cannot be seen while the rest still can. */
  readonly warn?: (message: string) => void;
}

export interface SluiceRouterBackend extends TrafficBackend {
  /** Closes the connections it keeps. */
  close(): Promise<void>;
}

/** Talks to every router of the fleet; holds no state but open connections. */
export function createSluiceRouterBackend(options: SluiceRouterBackendOptions): SluiceRouterBackend {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const dispatcher = new Agent({ connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const client: AdminClientOptions = { env: options.env, dispatcher, timeoutMs };
  const resolve = options.resolve ?? systemResolve;

  return {
    async members(remembered, signal) {
      signal.throwIfAborted();
      const lookup = await resolveFleet(options.config().fleet, resolve);
      const members = joinMembers(lookup.members, remembered);
      if (members.length === 0) throw emptyFleet(lookup);
      for (const { name, reason } of lookup.failed) {
        options.warn?.(`fleet name "${name}" does not resolve: ${reason}; only members seen before are asked`);
      }
      return members;
    },

    readSplit: (member, route, signal) => readSplit(client, member, route, signal),
    writeSplit: (member, route, split, write, signal) => writeSplit(client, member, route, split, write, signal),

    async renewLease(member, route, rollout, generation, signal) {
      const path = `${routePath(route)}/lease`;
      const answer = await callAdmin(
        member,
        { method: 'POST', path, body: { rollout, generation }, accept: [200, 204, 409] },
        client,
        signal,
      );
      return answer.status !== 409;
    },

    readEvidence: (member, route, rollout, cursor, signal) =>
      readEvidence(client, member, route, rollout, cursor, signal),

    async acknowledge(member, route, cursor, signal) {
      const path = `${routePath(route)}/evidence/ack`;
      await callAdmin(member, { method: 'POST', path, body: { cursor }, accept: [200, 204] }, client, signal);
    },

    close: () => dispatcher.close(),
  };
}

function routePath(route: RouteName): string {
  return `admin/v1/routes/${encodeURIComponent(route)}`;
}

async function readSplit(
  client: AdminClientOptions,
  member: Member,
  route: RouteName,
  signal: AbortSignal,
): Promise<RouteView> {
  const path = `${routePath(route)}/split`;
  const answer = await callAdmin(member, { method: 'GET', path, accept: [200] }, client, signal);
  return viewOf(member, route, answer.body);
}

async function writeSplit(
  client: AdminClientOptions,
  member: Member,
  route: RouteName,
  split: Split,
  write: WriteOptions,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const query = write.takeOver === undefined ? '' : `?takeOver=${encodeURIComponent(write.takeOver.reason)}`;
  const path = `${routePath(route)}/split${query}`;
  const answer = await callAdmin(member, { method: 'PUT', path, body: split, accept: [200, 409] }, client, signal);
  if (answer.status === 409) {
    const refusal = parseAnswer(member, 'a refused split', refusalSchema, answer.body);
    return { kind: refusal.error.code, current: refusal.current };
  }
  const view = viewOf(member, route, answer.body);
  // A 200 that shows something else than what was written is no confirmation.
  if (view.split.generation !== split.generation || view.split.rollout !== split.rollout) {
    throw new BackendError(
      'router-answer',
      member.address,
      `router ${member.address} took generation ${split.generation} of route "${route}" and shows generation ${view.split.generation}`,
    );
  }
  return { kind: 'confirmed', view };
}

function viewOf(member: Member, route: RouteName, body: unknown): RouteView {
  const view = parseAnswer(member, 'a split', routeViewSchema, body);
  if (view.route !== route) {
    throw new BackendError(
      'router-answer',
      member.address,
      `router ${member.address} answered for route "${view.route}" where "${route}" was asked`,
    );
  }
  return view;
}

async function readEvidence(
  client: AdminClientOptions,
  member: Member,
  route: RouteName,
  rollout: RolloutId,
  cursor: string | null,
  signal: AbortSignal,
): Promise<EvidencePage> {
  const query = new URLSearchParams({ rollout, ...(cursor === null ? {} : { cursor }) }).toString();
  const path = `${routePath(route)}/evidence?${query}`;
  const answer = await callAdmin(member, { method: 'GET', path, accept: [200] }, client, signal);
  const page = parseAnswer(member, 'evidence', evidenceEnvelopeSchema, answer.body);
  const records = page.records.map((value): EvidenceRecord => checked(member, 'record', evidenceRecordSchema, value));
  const ratings = page.ratings.map((value): RatingRecord => checked(member, 'rating', ratingRecordSchema, value));
  for (const entry of [...records, ...ratings]) {
    if (entry.rollout === rollout) continue;
    throw new BackendError(
      'evidence-invalid',
      member.address,
      `router ${member.address} sent evidence of another rollout than ${rollout}: ${nameOfRecord(entry)}`,
    );
  }
  return { ...page, records, ratings };
}

function checked<Output>(member: Member, what: 'record' | 'rating', schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? what : issue.path.join('.');
  throw new BackendError(
    'evidence-invalid',
    member.address,
    `router ${member.address} sent a ${what} that contradicts itself: ${path}: ${issue?.message ?? 'invalid'} in ${nameOfRecord(value)}; the rollout holds until the router is mended`,
  );
}
