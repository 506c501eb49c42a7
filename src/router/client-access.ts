import type { IncomingMessage } from 'node:http';
import { bearerToken, Presented } from './secret.js';
import type { Secret } from './secret.js';

/** What one request may do. */
export interface Caller {
  /** It may call something: otherwise not even its body is read. */
  readonly welcome: boolean;
  /** What it sent as a credential is not the router's, so that an upstream without a key of its own may have it. */
  readonly keepsCredentials: boolean;
  mayCall(route: string): boolean;
}

/** Nobody is asked for a key. */
const ANYONE: Caller = { welcome: true, keepsCredentials: true, mayCall: () => true };
const STRANGER: Caller = { welcome: false, keepsCredentials: false, mayCall: () => false };

/**
 * Who may call which route: a route with keys of its own is served to those who send one of them, any other route to those
 * with one of the router's keys, or to anyone when there are none.
 */
export class ClientAccess {
  /** null = no keys for routes without their own. */
  readonly #general: readonly Secret[] | null;
  readonly #byRoute: ReadonlyMap<string, readonly Secret[]>;
  readonly #open: readonly string[];

  /** `routes` are the names of all of them. */
  constructor(
    general: readonly Secret[] | null,
    byRoute: ReadonlyMap<string, readonly Secret[]>,
    routes: readonly string[],
  ) {
    this.#general = general;
    this.#byRoute = byRoute;
    this.#open = general === null ? routes.filter((route) => !byRoute.has(route)) : [];
  }

  caller(request: Pick<IncomingMessage, 'headers'>): Caller {
    if (this.#general === null && this.#byRoute.size === 0) return ANYONE;
    const presented = new Presented(bearerToken(request.headers.authorization) ?? '');
    // Every key is compared, so that the time taken does not say which one came close.
    const holds = (keys: readonly Secret[]): boolean => keys.filter((key) => key.matches(presented)).length > 0;
    const general = holds(this.#general ?? []);
    const own = new Set([...this.#byRoute].filter(([, keys]) => holds(keys)).map(([route]) => route));
    const isKnown = general || own.size > 0;
    if (!isKnown && this.#open.length === 0) return STRANGER;
    return {
      welcome: true,
      keepsCredentials: this.#general === null && !isKnown,
      mayCall: (route) => (this.#byRoute.has(route) ? own.has(route) : this.#general === null || general),
    };
  }
}
