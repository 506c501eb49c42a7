import { Pool } from 'undici';
import type { UpstreamName } from '../../plan/ids.js';

/** Where a call goes, with everything that `sluice.yaml` and the environment say about it. */
export interface Upstream {
  readonly name: UpstreamName;
  readonly model: string;
  /** Path of its base URL (`/v1`), which replaces the `/v1` that clients call. */
  readonly basePath: string;
  /** Headers of the configuration, by lower-case name; its own key among them. */
  readonly headers: ReadonlyMap<string, string>;
  /** Its own key is configured: nothing of a client's credentials reaches it. */
  readonly hasOwnKey: boolean;
  readonly pool: Pool;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** `baseUrl` without a slash at its end; `key` is its own key, null when clients bring theirs. */
export function createUpstream(options: {
  readonly name: UpstreamName;
  readonly baseUrl: string;
  readonly model: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
}): Upstream {
  const url = new URL(options.baseUrl);
  const headers = new Map(Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]));
  if (options.key !== null) headers.set('authorization', `Bearer ${options.key}`);
  return {
    name: options.name,
    model: options.model,
    basePath: url.pathname === '/' ? '' : url.pathname,
    headers,
    hasOwnKey: options.key !== null,
    // One request a connection: an answer of minutes must not stand before another's first token. The router has its own
    // limit of time, which covers the whole answer.
    pool: new Pool(url.origin, {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    }),
  };
}

/** The path at the upstream of a public path, which begins with `/v1`; the query stays. */
export function upstreamPath(upstream: Upstream, publicUrl: string): string {
  return upstream.basePath + publicUrl.slice('/v1'.length);
}
