import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { splitSchema } from '../../src/backends/admin-schemas.js';
import type { Member, RouteView } from '../../src/backends/traffic-backend.js';
import type { EvidencePage, EvidenceRecord, RatingRecord, RecentStarts } from '../../src/evidence/record.js';
import { routeName, upstreamName } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import type { Variant } from '../../src/plan/types.js';

export const ADMIN_TOKEN = 'admin-token-of-the-test';
export const ADMIN_TOKEN_ENV = 'TEST_ADMIN_TOKEN';

/** A split that belongs to nobody: what a router has before anything was written. */
export function restingSplit(stable = 'old', generation = 0): Split {
  return {
    generation,
    rollout: null,
    stage: null,
    weights: { stable: 1, candidate: 0 },
    upstreams: { stable: upstreamName(stable), candidate: null },
    mirror: { variant: 'candidate', share: 0 },
    salt: '',
    lease: null,
    metering: {
      intervalMs: 1_000,
      warmupMs: 0,
      requestTimeoutMs: 5_000,
      feedbackHorizonMs: 2_000,
      histograms: {},
      strata: ['served'],
    },
  };
}

export interface FakeRouterOptions {
  readonly clock: { trueNow(): number };
  readonly route?: string;
  readonly replica?: string;
  readonly upstreams?: readonly string[];
  readonly pageSize?: number;
  /** What a closed interval holds; called once for each interval of a split in force. */
  readonly traffic?: (interval: { readonly start: number; readonly split: Split }) => readonly EvidenceRecord[];
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const leaseBody = z.object({ rollout: z.string(), generation: z.number() });
const ackBody = z.object({ cursor: z.string() });

/** The admin API of a router over real HTTP, with faults on demand. Time is the test's. */
export class FakeRouter {
  readonly #options: FakeRouterOptions;
  #server: Server | null = null;
  #queue: { readonly sequence: number; readonly record: EvidenceRecord }[] = [];
  #ratings: { readonly sequence: number; readonly rating: RatingRecord }[] = [];
  #sequence = 0;
  #generationWrittenAt: number;
  #closedThrough: number;
  address = '';
  process = 'process-1';
  split: Split = restingSplit();
  leaseExpiresAt: number | null = null;
  recent: Record<Variant, RecentStarts> = { stable: { started: 0, failed: 0 }, candidate: { started: 0, failed: 0 } };
  mirror = { chosen: 0, dropped: 0, answered: 0 };
  latencies: readonly number[] = [];
  completionTokens: readonly number[] = [];
  answered: RouteView['recent']['answered'] = null;
  /** Faults. */
  cutOff = false;
  hanging = false;
  nowOffsetMs = 0;
  loseAcks = 0;
  answerWith: { readonly status: number; readonly body: string } | null = null;
  /** Everything that was asked, in order, as `METHOD path`. */
  readonly calls: string[] = [];
  readonly takeOvers: string[] = [];
  renewals = 0;
  acknowledged = 0;

  constructor(options: FakeRouterOptions) {
    this.#options = options;
    this.#generationWrittenAt = options.clock.trueNow();
    this.#closedThrough = options.clock.trueNow();
  }

  get member(): Member {
    return { address: this.address, tokenEnv: ADMIN_TOKEN_ENV };
  }

  get replica(): string {
    return this.#options.replica ?? 'replica-1';
  }

  get inForce(): boolean {
    return this.leaseExpiresAt === null || this.leaseExpiresAt > this.#now();
  }

  get queued(): number {
    return this.#queue.length;
  }

  async start(): Promise<this> {
    this.#server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    this.address = `http://127.0.0.1:${bound.port}`;
    return this;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** A kill and a restart: a new process with the state of the disk. */
  restart(process: string): void {
    this.process = process;
  }

  /** Queues a record that the traffic function did not make. */
  push(record: EvidenceRecord): void {
    this.#sequence += 1;
    this.#queue.push({ sequence: this.#sequence, record });
  }

  rate(rating: RatingRecord): void {
    this.#sequence += 1;
    this.#ratings.push({ sequence: this.#sequence, rating });
  }

  view(): RouteView {
    return {
      route: routeName(this.#options.route ?? 'support'),
      replica: this.replica,
      process: this.process,
      now: this.#now(),
      split: this.split,
      inForce: this.inForce,
      leaseExpiresAt: this.leaseExpiresAt,
      upstreams: this.#options.upstreams ?? ['old', 'new'],
      recent: {
        latencyMs: this.latencies,
        ttftMs: [],
        completionTokens: this.completionTokens,
        answered: this.answered,
      },
    };
  }

  #now(): number {
    return this.#options.clock.trueNow() + this.nowOffsetMs;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://router');
    this.calls.push(`${incoming.method ?? ''} ${url.pathname}`);
    if (this.cutOff) {
      incoming.socket.destroy();
      return;
    }
    if (this.hanging) return;
    const body = await readBody(incoming);
    if (this.answerWith !== null) {
      reply(outgoing, this.answerWith.status, this.answerWith.body);
      return;
    }
    if (incoming.headers.authorization !== `Bearer ${ADMIN_TOKEN}`) {
      reply(outgoing, 401, JSON.stringify({ error: { code: 'unauthorized', message: 'wrong token' } }));
      return;
    }
    const prefix = `/admin/v1/routes/${encodeURIComponent(this.#options.route ?? 'support')}/`;
    if (!url.pathname.startsWith(prefix)) {
      reply(outgoing, 404, JSON.stringify({ error: { code: 'route-unknown', message: 'no such route' } }));
      return;
    }
    const action = `${incoming.method ?? ''} ${url.pathname.slice(prefix.length)}`;
    const answer = this.#answer(action, body, url.searchParams);
    if (answer === null) incoming.socket.destroy();
    else reply(outgoing, answer.status, JSON.stringify(answer.body));
  }

  /** Null cuts the connection. */
  #answer(action: string, body: string, query: URLSearchParams): Answer | null {
    switch (action) {
      case 'GET split':
        return { status: 200, body: this.view() };
      case 'PUT split':
        return this.#put(splitSchema.parse(JSON.parse(body)), query.get('takeOver'));
      case 'POST lease':
        return this.#renew(leaseBody.parse(JSON.parse(body)));
      case 'GET evidence':
        return { status: 200, body: this.#page(query.get('rollout'), query.get('cursor')) };
      case 'POST evidence/ack':
        return this.#acknowledge(ackBody.parse(JSON.parse(body)).cursor);
      default:
        return { status: 405, body: { error: { code: 'method', message: action } } };
    }
  }

  #put(split: Split, takeOver: string | null): Answer {
    const current = this.split;
    if (takeOver !== null) this.takeOvers.push(takeOver);
    const owned = current.lease !== null && this.inForce && current.rollout !== split.rollout;
    if (!isDeepStrictEqual(current, split)) {
      if (split.generation <= current.generation) return this.#refuse('stale');
      if (owned && takeOver === null) return this.#refuse('owned');
      this.#closeIntervals();
      this.split = split;
      this.#generationWrittenAt = this.#now();
      this.leaseExpiresAt = split.lease === null ? null : this.#now() + split.lease.seconds * 1_000;
    }
    return { status: 200, body: this.view() };
  }

  #renew(body: { readonly rollout: string; readonly generation: number }): Answer {
    const current = body.rollout === this.split.rollout && body.generation === this.split.generation;
    if (!current || !this.inForce || this.split.lease === null) return this.#refuse('stale');
    this.renewals += 1;
    this.leaseExpiresAt = this.#now() + this.split.lease.seconds * 1_000;
    return { status: 200, body: { leaseExpiresAt: this.leaseExpiresAt } };
  }

  #refuse(code: 'stale' | 'owned'): Answer {
    return { status: 409, body: { error: { code }, current: this.view() } };
  }

  #acknowledge(cursor: string): Answer | null {
    if (this.loseAcks > 0) {
      this.loseAcks -= 1;
      return null;
    }
    const through = this.#sequenceOf(cursor);
    this.#queue = this.#queue.filter((entry) => entry.sequence > through);
    this.#ratings = this.#ratings.filter((entry) => entry.sequence > through);
    this.acknowledged = Math.max(this.acknowledged, through);
    return { status: 200, body: {} };
  }

  #page(rollout: string | null, cursor: string | null): EvidencePage {
    this.#closeIntervals();
    const after = cursor === null ? 0 : this.#sequenceOf(cursor);
    const waiting = this.#queue.filter(({ sequence, record }) => sequence > after && record.rollout === rollout);
    const page = waiting.slice(0, this.#options.pageSize ?? 1_000);
    const more = waiting.length > page.length;
    const ratings = more ? [] : this.#ratings.filter((entry) => entry.sequence > after);
    const last = Math.max(after, ...page.map((entry) => entry.sequence), ...ratings.map((entry) => entry.sequence));
    return {
      replica: this.replica,
      process: this.process,
      now: this.#now(),
      closedThrough: this.#closedThrough,
      open: {
        generation: this.split.generation,
        rollout: this.split.rollout,
        inForce: this.inForce,
        leaseExpiresAt: this.leaseExpiresAt,
        recent: this.recent,
        mirror: this.mirror,
      },
      records: page.map((entry) => entry.record),
      ratings: ratings.map((entry) => entry.rating),
      cursor: `${this.process}:${last}`,
      more,
    };
  }

  /** An unknown cursor, such as one of an earlier process, restarts at the oldest that is held. */
  #sequenceOf(cursor: string): number {
    const [process, sequence] = cursor.split(':');
    return process === this.process ? Number(sequence) : 0;
  }

  #closeIntervals(): void {
    const { intervalMs } = this.split.metering;
    const through = Math.floor(this.#now() / intervalMs) * intervalMs;
    const files = this.split.lease !== null && this.#options.traffic !== undefined;
    for (let start = Math.floor(this.#closedThrough / intervalMs) * intervalMs; start < through; start += intervalMs) {
      const expired = this.leaseExpiresAt !== null && start >= this.leaseExpiresAt;
      const before = start + intervalMs <= this.#generationWrittenAt;
      if (files && !expired && !before) {
        for (const record of this.#options.traffic?.({ start, split: this.split }) ?? []) {
          this.push({ ...record, replica: this.replica, process: this.process });
        }
      }
    }
    this.#closedThrough = Math.max(this.#closedThrough, through);
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(outgoing: ServerResponse, status: number, body: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(body);
}
