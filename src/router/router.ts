import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SluiceConfig } from '../plan/config.js';
import { DEFAULT_HTTP_LIMITS } from '../plan/http-limits.js';
import { createAdminServer } from './admin/admin-server.js';
import { loadHash } from './choice.js';
import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import { memberWithSplit } from './fleet.js';
import { InFlight } from './in-flight.js';
import { IssuedIds } from './issued-ids.js';
import { closeServer, listen } from './listener.js';
import { errorText, standardErrorLog } from './log.js';
import type { Log } from './log.js';
import { RequestCounters } from './metrics.js';
import { metricsText } from './metrics-text.js';
import { MirrorBudget } from './mirror-budget.js';
import type { MirrorLimits } from './mirror-budget.js';
import { Mirror } from './proxy/mirror.js';
import { Proxy } from './proxy/proxy.js';
import { Feedback } from './public/feedback.js';
import { createPublicServer } from './public/public-server.js';
import { NonceSource, RequestIds } from './request-id.js';
import { RouteRuntimes } from './route-runtimes.js';
import {
  adminToken,
  clientAccess,
  createUpstreams,
  persistedReplica,
  requestIdKeys,
  requireGuardedListen,
} from './settings.js';
import { SplitTable } from './split/active-split.js';

export interface RouterLimits {
  readonly mirror: MirrorLimits;
  /** Evidence kept for a ledger that does not fetch it, over all routes. */
  readonly spoolBytes: number;
  readonly spoolAgeMs: number;
  /** How long a draining router says that it is not ready before it stops to listen. */
  readonly drainGraceMs: number;
}

export interface RouterOptions {
  readonly config: SluiceConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Name of this router in the evidence; kept in the state directory when not given. */
  readonly replica?: string;
  /** Before `stateDirectory` of the configuration; the default is `.sluice/router`. */
  readonly stateDirectory?: string;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly limits?: Partial<RouterLimits>;
}

export interface Router {
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly replica: string;
  /** A random id of this start. */
  readonly process: string;
  /**
   * Ends without failing a request: not ready, then no new connections, everything under way finished, evidence on disk.
   * Whoever knows when the last client has turned away says so by `graceOver`; otherwise it is `drainGraceMs` from now.
   */
  drain(graceOver?: Promise<unknown>): Promise<void>;
  /** Ends now: what is under way is cut off. */
  close(): Promise<void>;
}

const DEFAULT_LIMITS: RouterLimits = {
  mirror: { concurrency: 512, tokensPerHour: null },
  spoolBytes: 1024 ** 3,
  spoolAgeMs: 7 * 24 * 3_600_000,
  drainGraceMs: 1_000,
};

/** How often intervals are closed and leases looked at when nobody asks. */
const SWEEP_MS = 1_000;

/**
 * Starts the data plane. Throws `config-invalid` (a secret that is not set, an open listener, state that does not fit
 * the configuration) and `port-taken`; nothing is left running then.
 */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { config, env, log = standardErrorLog, clock = systemClock() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  requireGuardedListen(config);
  const token = adminToken(config, env);
  const access = clientAccess(config, env);
  const http = config.limits ?? DEFAULT_HTTP_LIMITS;
  const upstreams = createUpstreams(config, env);
  const stateDirectory = path.resolve(
    options.stateDirectory ?? config.stateDirectory ?? path.join('.sluice', 'router'),
  );
  const replica = options.replica ?? (await persistedReplica(stateDirectory, config.listen));
  const requestIds = new RequestIds(await requestIdKeys(config, env, stateDirectory));
  const process = randomUUID();
  const table = new SplitTable();
  const routes = await RouteRuntimes.open({
    config,
    upstreams,
    table,
    stateDirectory,
    replica,
    process,
    clock,
    log,
    limits,
  });

  const inFlight = new InFlight();
  const budget = new MirrorBudget(limits.mirror, clock);
  const counters = new RequestCounters();
  let draining = false;
  const proxy = new Proxy({
    clock,
    hash: await loadHash(),
    table,
    routes: routes.all,
    upstreams,
    issuedIds: new IssuedIds(),
    requestIds,
    nonces: new NonceSource(),
    mirror: new Mirror({ clock, budget, inFlight }),
    counters,
    inFlight,
    limits: http,
    keepsConnections: () => !draining,
  });
  const publicServer = createPublicServer({
    routes: [...routes.all.keys()],
    startedAtMs: clock.wallMs(),
    access,
    limits: http,
    proxy,
    feedback: new Feedback({ clock, requestIds, file: (rating) => routes.fileRating(rating) }),
    keepsConnections: () => !draining,
    inFlight,
    unready: () => (draining ? ['the router is draining'] : routes.unready()),
    log,
  });
  const adminServer = createAdminServer({
    token,
    routes: routes.all,
    limits: http,
    metrics: () => metricsText(routes.all, counters, budget, clock),
    log,
  });

  const sweeping = setInterval(() => void routes.sweep(), SWEEP_MS);
  sweeping.unref();
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      clearInterval(sweeping);
      const closed = Promise.all([closeServer(publicServer), closeServer(adminServer)]);
      publicServer.closeAllConnections();
      adminServer.closeAllConnections();
      await Promise.all([...upstreams.values()].map(({ pool }) => pool.destroy()));
      await closed;
      await routes.close();
    })();
    return closing;
  };
  const drain = async (graceOver?: Promise<unknown>): Promise<void> => {
    draining = true;
    log({ level: 'info', event: 'draining', message: `${inFlight.count} requests are under way` });
    await (graceOver ?? wait(limits.drainGraceMs));
    const stopped = closeServer(publicServer);
    await inFlight.idle();
    // What is still open has never asked for anything, or has got it all.
    publicServer.closeAllConnections();
    await stopped;
    await routes.closeIntervals();
    await close();
  };
  try {
    const adminUrl = await listen(adminServer, config.admin.listen, 'admin.listen');
    // A member is asked before clients can reach this one, so that readiness is never taken back.
    await routes.askFleet((route) => memberWithSplit(route, { fleet: config.fleet, env, process, log }));
    const publicUrl = await listen(publicServer, config.listen, 'listen');
    return { publicUrl, adminUrl, replica, process, drain, close };
  } catch (error) {
    await close().catch((failure: unknown) =>
      log({ level: 'error', event: 'close-failed', message: errorText(failure) }),
    );
    throw error;
  }
}
