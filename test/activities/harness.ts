/** Activities over real HTTP, a real SQLite ledger and a clock of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Info } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { vi } from 'vitest';
import { createActivities } from '../../activities/index.js';
import type { Activities } from '../../activities/index.js';
import type { SampleTrafficInput, SampleTrafficResult } from '../../activities/types.js';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { SluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { resolveConfig } from '../../src/plan/config-file.js';
import type { SluiceConfig } from '../../src/plan/config.js';
import { parseSource } from '../../src/plan/document.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { rolloutId, routeName } from '../../src/plan/ids.js';
import { meteringFor } from '../../src/plan/metering.js';
import type { Split } from '../../src/plan/split.js';
import type { Plan } from '../../src/plan/types.js';
import type { RunDescription } from '../../src/temporal/describe-run.js';
import { ADMIN_TOKEN, ADMIN_TOKEN_ENV, FakeRouter } from '../helpers/fake-router.js';
import { VirtualClock } from '../helpers/virtual-clock.js';
import { ALL_OFF } from '../plan/context.js';

// Minutes of virtual time are hundreds of real calls: on a busy machine they may take a while.
vi.setConfig({ testTimeout: 60_000 });

export const ROUTE = routeName('support');
export const ROLLOUT = rolloutId('support@2026-11-24T09:00:00Z');
export const STARTED_AT = Date.parse('2026-11-24T09:00:00.000Z');

export const WRITTEN_PLAN = {
  route: 'support',
  candidate: 'new',
  lease: '15s',
  requestTimeout: '5s',
  guardrails: { ...ALL_OFF, error_rate: {} },
  defaults: { interval: '1s', warmup: '0s' },
  stages: [
    { kind: 'shadow', for: '60s' },
    { kind: 'canary', share: '50%', for: '60s' },
    { kind: 'flip', for: '60s' },
  ],
};

export type Traffic = (interval: { readonly start: number; readonly split: Split }) => readonly EvidenceRecord[];

export interface WorldOptions {
  readonly routers?: number;
  readonly traffic?: Traffic;
  readonly config?: string;
  readonly plan?: object;
  /** Changes the frozen plan beyond what a plan file may say. */
  readonly adjust?: (plan: Plan) => Plan;
  readonly pageSize?: number;
  /** Names of the upstreams that the routers know. */
  readonly upstreams?: readonly string[];
}

export interface CallOptions {
  readonly worker?: Activities;
  readonly environment?: MockActivityEnvironment;
}

/** Faults that a ledger can have, on demand. */
export interface LedgerFaults {
  down: boolean;
  commits: number;
}

const open: TestWorld[] = [];

/** For `afterEach`. */
export async function closeWorlds(): Promise<void> {
  await Promise.all(open.splice(0).map((world) => world.close()));
}

export class TestWorld {
  readonly clock = new VirtualClock(STARTED_AT);
  readonly routers: readonly FakeRouter[];
  readonly ledger: Ledger;
  readonly faults: LedgerFaults = { down: false, commits: 0 };
  readonly warnings: string[] = [];
  readonly env: Record<string, string> = { [ADMIN_TOKEN_ENV]: ADMIN_TOKEN };
  readonly backend: SluiceRouterBackend;
  readonly plan: Plan;
  config: SluiceConfig;
  /** What Temporal says of the run; null = it does not answer. */
  run: RunDescription | null = { open: true, attemptStartedAt: STARTED_AT };
  readonly #directory: string;
  readonly #disk: Ledger;

  private constructor(directory: string, disk: Ledger, routers: readonly FakeRouter[], options: WorldOptions) {
    this.#directory = directory;
    this.#disk = disk;
    this.ledger = withFaults(disk, this.faults);
    this.routers = routers;
    this.config = configOf(routers, options.config ?? '');
    const frozen = freezePlan(options.plan ?? WRITTEN_PLAN, { config: this.config, stable: null });
    this.plan = options.adjust?.(frozen) ?? frozen;
    this.backend = createSluiceRouterBackend({ config: () => this.config, env: this.env, timeoutMs: 500 });
  }

  static async create(options: WorldOptions = {}): Promise<TestWorld> {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-activities-'));
    const disk = await openLedger({ sqlitePath: join(directory, 'ledger.db') });
    const routers: FakeRouter[] = [];
    // Routers need the clock, which the world makes: a reference that is filled right below.
    const time = { trueNow: (): number => STARTED_AT };
    for (let number = 1; number <= (options.routers ?? 1); number += 1) {
      const router = new FakeRouter({
        clock: { trueNow: () => time.trueNow() },
        replica: `replica-${number}`,
        ...(options.traffic === undefined ? {} : { traffic: options.traffic }),
        ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
        ...(options.upstreams === undefined ? {} : { upstreams: options.upstreams }),
      });
      routers.push(await router.start());
    }
    const world = new TestWorld(directory, disk, routers, options);
    open.push(world);
    time.trueNow = () => world.clock.trueNow();
    return world;
  }

  get router(): FakeRouter {
    const [router] = this.routers;
    if (router === undefined) throw new Error('no router');
    return router;
  }

  /** The ledger without its faults, for the test's own eyes. */
  get disk(): Ledger {
    return this.#disk;
  }

  /** Activities of one worker: create them anew for another. */
  worker(): Activities {
    return createActivities({
      backend: this.backend,
      ledger: this.ledger,
      config: () => this.config,
      env: this.env,
      clock: this.clock,
      log: { info: () => undefined, warn: (message) => void this.warnings.push(message) },
      describeRun: async () => {
        if (this.run === null) throw new Error('14 UNAVAILABLE: Temporal is away');
        return this.run;
      },
    });
  }

  /** Stores the rollout without going through `openRollout`. */
  async store(): Promise<void> {
    await this.#disk.openRollout({
      rollout: ROLLOUT,
      route: ROUTE,
      plan: this.plan,
      salt: 'salt',
      seeds: {},
      startedAt: STARTED_AT,
    });
  }

  split(stage: string, generation = 1): Split {
    const plan = this.plan.stages.find(({ name }) => name === stage);
    if (plan === undefined) throw new Error(`no stage ${stage}`);
    return {
      generation,
      rollout: ROLLOUT,
      stage: plan.name,
      weights: plan.weights,
      upstreams: { stable: this.plan.stable, candidate: this.plan.candidate },
      mirror: plan.mirror,
      salt: 'salt',
      lease: this.plan.lease,
      metering: meteringFor(this.plan, plan, {}),
    };
  }

  /** Puts a split on every router, as a pipeline did before. */
  async obey(split: Split): Promise<void> {
    for (const router of this.routers) {
      const outcome = await this.backend.writeSplit(router.member, ROUTE, split, {}, new AbortController().signal);
      if (outcome.kind !== 'confirmed') throw new Error(`${router.address} said ${outcome.kind}`);
    }
  }

  samplingInput(split: Split, overrides: Partial<SampleTrafficInput> = {}): SampleTrafficInput {
    if (split.stage === null) throw new Error('no stage');
    return {
      rollout: ROLLOUT,
      route: ROUTE,
      stage: split.stage,
      split,
      members: this.routers.map(({ member }) => member),
      evidence: 'ok',
      promoteFromGeneration: split.generation,
      untilPromotable: false,
      ignore: { hold: [], flag: [] },
      forMs: 30_000,
      reason: 'scheduled',
      ...overrides,
    };
  }

  /** An environment whose activity was scheduled and started now. */
  environment(info: Partial<Info> = {}): MockActivityEnvironment {
    const now = this.clock.trueNow();
    if (this.run !== null) this.run = { ...this.run, attemptStartedAt: now };
    return new MockActivityEnvironment(
      {
        activityId: '1',
        workflowExecution: { workflowId: 'rollout/support', runId: 'run-1' },
        scheduledTimestampMs: now,
        currentAttemptScheduledTimestampMs: now,
        heartbeatTimeoutMs: 600_000,
        ...info,
      },
      { logger: new DefaultLogger('ERROR') },
    );
  }

  /** Runs an activity on a worker that knows nothing yet, unless one is given. */
  call<Output>(run: (worker: Activities) => Promise<Output>, options: CallOptions = {}): Promise<Output> {
    const worker = options.worker ?? this.worker();
    return (options.environment ?? this.environment()).run(() => run(worker));
  }

  sample(input: SampleTrafficInput, options: CallOptions = {}): Promise<SampleTrafficResult> {
    return this.call((worker) => worker.sampleTraffic(input), options);
  }

  async close(): Promise<void> {
    await this.backend.close();
    await Promise.all(this.routers.map((router) => router.close()));
    await this.#disk.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The failure that Temporal would get. */
export async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw new Error('no ApplicationFailure was thrown', { cause: error });
}

export function configOf(routers: readonly FakeRouter[], more: string): SluiceConfig {
  const fleet = routers.map(({ address }) => `{ admin: "${address}", tokenEnv: ${ADMIN_TOKEN_ENV} }`).join(', ');
  const text = `
fleet: [${fleet}]
upstreams:
  old: { url: http://127.0.0.1:9/v1, model: old-model }
  new: { url: http://127.0.0.1:9/v1, model: new-model }
routes:
  support: { stable: old }
${more}`;
  return resolveConfig(parseSource(text, 'sluice.yaml', 'config-invalid'));
}

function withFaults(ledger: Ledger, faults: LedgerFaults): Ledger {
  return new Proxy(ledger, {
    get(target, name, receiver): unknown {
      if (faults.down) return () => Promise.reject(new Error('the disk is gone'));
      if (name === 'commitEvidence') faults.commits += 1;
      return Reflect.get(target, name, receiver);
    },
  });
}
