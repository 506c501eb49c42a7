import type { RouteConfig } from '../../plan/config.js';
import type { HttpLimits } from '../../plan/http-limits.js';
import type { Hash } from '../choice.js';
import type { Clock } from '../clock.js';
import type { InFlight } from '../in-flight.js';
import type { IssuedIds } from '../issued-ids.js';
import type { RouteMeter } from '../meter/route-meter.js';
import type { RequestCounters } from '../metrics.js';
import type { NonceSource, RequestIds } from '../request-id.js';
import type { SplitTable } from '../split/active-split.js';
import type { Mirror } from './mirror.js';
import type { Upstream } from './upstream.js';

/** What each route brings to the proxy. */
export interface ProxyRoute {
  readonly config: RouteConfig;
  readonly meter: RouteMeter;
}

export interface ProxyDependencies {
  readonly clock: Clock;
  readonly hash: Hash;
  readonly table: SplitTable;
  readonly routes: ReadonlyMap<string, ProxyRoute>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly issuedIds: IssuedIds;
  readonly requestIds: RequestIds;
  readonly nonces: NonceSource;
  readonly mirror: Mirror;
  readonly counters: RequestCounters;
  readonly inFlight: InFlight;
  readonly limits: Pick<HttpLimits, 'bodyBytes'>;
  /** False when answers end their connection: the router is about to go. */
  readonly keepsConnections: () => boolean;
}
