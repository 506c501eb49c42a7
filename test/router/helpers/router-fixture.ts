import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { RouteView } from '../../../src/backends/traffic-backend.js';
import type { EvidencePage, EvidenceRecord } from '../../../src/evidence/record.js';
import type { SluiceConfig } from '../../../src/plan/config.js';
import { rolloutId, routeName, stageName, upstreamName } from '../../../src/plan/ids.js';
import type { Split } from '../../../src/plan/split.js';
import type { LogEntry } from '../../../src/router/log.js';
import { startRouter } from '../../../src/router/router.js';
import type { Router, RouterLimits } from '../../../src/router/router.js';
import { FakeClock } from './fake-clock.js';

export const ROLLOUT = rolloutId('support@2026-09-21T14:00:00Z');
export const OTHER_ROLLOUT = rolloutId('support@2026-09-21T15:00:00Z');
export const TOKEN = 'admin-token';
export const ROUTE = 'support';

export type ConfigChange = (config: SluiceConfig) => SluiceConfig;

/** Two upstreams, `old` and `new`, and one route that rests on `old`. */
export function testConfig(urls: { readonly old: string; readonly new: string }): SluiceConfig {
  const upstream = (name: string, url: string) =>
    [
      upstreamName(name),
      { name: upstreamName(name), url, model: `${name}-model`, apiKeyEnv: null, headers: {} },
    ] as const;
  const route = routeName(ROUTE);
  return {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { listen: { host: '127.0.0.1', port: 0 }, tokenEnv: 'SLUICE_ADMIN_TOKEN' },
    fleet: [],
    upstreams: new Map([upstream('old', urls.old), upstream('new', urls.new)]),
    routes: new Map([[route, { name: route, stable: upstreamName('old'), unitHeader: 'x-user-id' }]]),
    webhooks: new Map(),
    checks: new Map(),
    tokenKeyEnv: [],
    clientKeysEnv: null,
    allowAnonymous: false,
    stateDirectory: null,
  };
}

export interface RouterFixture {
  readonly router: Router;
  readonly clock: FakeClock;
  readonly log: LogEntry[];
  readonly stateDirectory: string;
}

export interface FixtureOptions {
  readonly urls: { readonly old: string; readonly new: string };
  readonly change?: ConfigChange;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: FakeClock;
  readonly stateDirectory?: string;
  readonly limits?: Partial<RouterLimits>;
  readonly replica?: string;
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-router-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A router with a clock that only tests move; it is closed when the test has finished. */
export async function startFixture(options: FixtureOptions): Promise<RouterFixture> {
  const stateDirectory = options.stateDirectory ?? (await temporaryDirectory());
  const clock = options.clock ?? new FakeClock();
  const log: LogEntry[] = [];
  const config = testConfig(options.urls);
  const router = await startRouter({
    config: options.change?.(config) ?? config,
    env: { SLUICE_ADMIN_TOKEN: TOKEN, ...options.env },
    replica: options.replica ?? 'replica-1',
    stateDirectory,
    clock,
    log: (entry) => log.push(entry),
    limits: { drainGraceMs: 0, ...options.limits },
  });
  onTestFinished(() => router.close());
  return { router, clock, log, stateDirectory };
}

/** A split of a canary stage; every interval is a second. */
export function canarySplit(change: Partial<Split> = {}): Split {
  return {
    generation: 1,
    rollout: ROLLOUT,
    stage: stageName('canary-25'),
    weights: { stable: 0.75, candidate: 0.25 },
    upstreams: { stable: upstreamName('old'), candidate: upstreamName('new') },
    mirror: { variant: 'candidate', share: 0 },
    salt: '5b8b6a0e-9d0a-4c51-9f3a-0d6f3f8f0001',
    lease: { seconds: 900, onExpiry: 'stable' },
    metering: {
      intervalMs: 1_000,
      warmupMs: 0,
      requestTimeoutMs: 5_000,
      feedbackHorizonMs: 2_000,
      histograms: {
        latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, thresholdIndex: null },
        latency_p95: { gamma: 1.2 ** 0.1, xMin: 0.001, thresholdIndex: 700 },
        ttft_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, thresholdIndex: null },
      },
      strata: ['served', 'paired'],
    },
    ...change,
  };
}

/** Everyone on one variant. */
export function allOn(variant: 'stable' | 'candidate', change: Partial<Split> = {}): Split {
  return canarySplit({
    weights: variant === 'stable' ? { stable: 1, candidate: 0 } : { stable: 0, candidate: 1 },
    ...change,
  });
}

/** Stable serves everyone, the candidate gets a copy of each request. */
export function shadowSplit(change: Partial<Split> = {}): Split {
  return allOn('stable', { stage: stageName('shadow'), mirror: { variant: 'candidate', share: 1 }, ...change });
}

/** What a rollback or a promotion leaves behind. */
export function restingSplit(upstream: 'old' | 'new', change: Partial<Split> = {}): Split {
  return canarySplit({
    stage: null,
    weights: { stable: 1, candidate: 0 },
    upstreams: { stable: upstreamName(upstream), candidate: null },
    lease: null,
    ...change,
  });
}

export interface AdminAnswer<T> {
  readonly status: number;
  readonly body: T;
}

export interface AdminProblem {
  readonly error: { readonly code: string; readonly message: string };
  readonly current?: RouteView;
}

/** What the test goes on to look at; the assertions say whether it is there. */
function shaped<T>(value: unknown): T {
  return z.custom<T>().parse(value);
}

export function jsonOf<T>(text: string): T {
  return shaped<T>(JSON.parse(text));
}

export async function admin<T>(
  router: Router,
  method: 'GET' | 'PUT' | 'POST',
  resource: string,
  body?: unknown,
  token = TOKEN,
): Promise<AdminAnswer<T>> {
  const answer = await request(`${router.adminUrl}/admin/v1/routes/${resource}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, body: shaped<T>(await answer.body.json()) };
}

export function putSplit(router: Router, split: unknown, query = ''): Promise<AdminAnswer<RouteView & AdminProblem>> {
  return admin(router, 'PUT', `${ROUTE}/split${query}`, split);
}

export async function readSplit(router: Router): Promise<RouteView> {
  const { body } = await admin<RouteView>(router, 'GET', `${ROUTE}/split`);
  return body;
}

export async function readEvidence(
  router: Router,
  cursor: string | null = null,
  rollout = ROLLOUT,
): Promise<EvidencePage> {
  const query = new URLSearchParams({ rollout, ...(cursor !== null && { cursor }) });
  const { body } = await admin<EvidencePage>(router, 'GET', `${ROUTE}/evidence?${query.toString()}`);
  return body;
}

/** Records of one stratum and variant, added up where the test looks at one count only. */
export function recordsOf(page: EvidencePage, stratum: string, variant: string): readonly EvidenceRecord[] {
  return page.records.filter((record) => record.stratum === stratum && record.variant === variant);
}

export interface ChatAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

export async function chat(
  router: Router,
  options: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly path?: string } = {},
): Promise<ChatAnswer> {
  const body = options.body ?? { model: ROUTE, messages: [{ role: 'user', content: 'hello' }] };
  const answer = await request(`${router.publicUrl}${options.path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}
