import path from 'node:path';
import type { RatingRecord } from '../evidence/record.js';
import type { RouteConfig, SluiceConfig } from '../plan/config.js';
import type { Clock } from './clock.js';
import type { HigherMember } from './fleet.js';
import { errorText } from './log.js';
import type { Log } from './log.js';
import { RouteMeter } from './meter/route-meter.js';
import type { Upstream } from './proxy/upstream.js';
import { RouteEvidence } from './route-evidence.js';
import type { SplitTable } from './split/active-split.js';
import { restoreSplit } from './split/restore.js';
import { RouteControl } from './split/route-control.js';
import { SplitStore } from './split/split-store.js';
import { Spool } from './spool/spool.js';

/** Everything of one route. */
export interface RouteRuntime {
  readonly config: RouteConfig;
  readonly meter: RouteMeter;
  readonly control: RouteControl;
  readonly spool: Spool;
  readonly evidence: RouteEvidence;
}

export interface RouteRuntimesOptions {
  readonly config: SluiceConfig;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly table: SplitTable;
  readonly stateDirectory: string;
  readonly replica: string;
  readonly process: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: { readonly spoolBytes: number; readonly spoolAgeMs: number };
}

/** The routes of a router, as they come back from disk. */
export class RouteRuntimes {
  readonly all: ReadonlyMap<string, RouteRuntime>;
  readonly #log: Log;
  /** Routes without a split of their own that another member has one for, and why that keeps this one from being ready. */
  readonly #waiting = new Map<string, HigherMember>();

  private constructor(all: ReadonlyMap<string, RouteRuntime>, log: Log) {
    this.all = all;
    this.#log = log;
  }

  static async open(options: RouteRuntimesOptions): Promise<RouteRuntimes> {
    const all = new Map<string, RouteRuntime>();
    for (const config of options.config.routes.values()) all.set(config.name, await openRoute(config, options));
    return new RouteRuntimes(all, options.log);
  }

  /** Asks for routes that were never written to here whether another member has a split. */
  async askFleet(ask: (route: string) => Promise<HigherMember | null>): Promise<void> {
    const unknown = [...this.all].filter(([, { control }]) => control.active.split.generation === 0);
    await Promise.all(
      unknown.map(async ([route]) => {
        const member = await ask(route);
        if (member !== null) this.#waiting.set(route, member);
      }),
    );
  }

  /** Why this router should get no traffic yet. */
  unready(): readonly string[] {
    return [...this.#waiting].flatMap(([route, { address, generation }]) => {
      if ((this.all.get(route)?.control.active.split.generation ?? 0) > 0) return [];
      return [
        `route ${route}: member ${address} holds generation ${generation}; waiting for the split to be written here`,
      ];
    });
  }

  async sweep(): Promise<void> {
    await Promise.all([...this.all.values()].map(({ evidence }) => evidence.sweep()));
  }

  /** False when the rollout is of a route that is not served here. */
  async fileRating(rating: RatingRecord): Promise<boolean> {
    const runtime = this.all.get(rating.rollout.slice(0, rating.rollout.lastIndexOf('@')));
    if (runtime === undefined) return false;
    await runtime.evidence.rate(rating);
    return true;
  }

  /** Files what has finished, although its intervals' time is not over: nothing more will start here. */
  async closeIntervals(): Promise<void> {
    await Promise.all([...this.all.values()].map(({ evidence }) => evidence.closeAll()));
  }

  async close(): Promise<void> {
    for (const { spool, config } of this.all.values()) {
      try {
        await spool.close();
      } catch (error) {
        this.#log({ level: 'error', event: 'spool-not-written', message: errorText(error), route: config.name });
      }
    }
  }
}

async function openRoute(config: RouteConfig, options: RouteRuntimesOptions): Promise<RouteRuntime> {
  const { clock, log, replica, process, upstreams, table, stateDirectory, limits } = options;
  const route = config.name;
  const store = new SplitStore(path.join(stateDirectory, 'splits'), route);
  const restored = restoreSplit(config, await store.load(), upstreams, clock);
  const meter = new RouteMeter(replica, process);
  const control = new RouteControl(
    { route, configured: config.stable, replica, process, upstreams, table, store, meter, clock, log },
    restored,
  );
  await control.saveChanges();
  const spool = await Spool.open({
    directory: path.join(stateDirectory, 'spool', encodeURIComponent(route)),
    route,
    process,
    maxBytes: Math.floor(limits.spoolBytes / options.config.routes.size),
    maxAgeMs: limits.spoolAgeMs,
    clock,
    log,
  });
  const evidence = new RouteEvidence({ route, replica, process, control, meter, spool, clock, log });
  return { config, meter, control, spool, evidence };
}
