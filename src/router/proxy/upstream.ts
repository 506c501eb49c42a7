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
  /** Its own limit for a whole answer, ms; null = that of the split. */
  readonly timeoutMs: number | null;
  /** HTTP/2 may be spoken, whose answers end by themselves. */
  readonly http2: boolean;
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
  readonly timeoutMs?: number | null;
  /** Offer HTTP/2 in the TLS handshake. */
  readonly http2?: boolean;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | null;
}): Upstream {
  const { ca = null, http2 = false } = options;
  const url = new URL(options.baseUrl);
  const headers = new Map(Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]));
  if (options.key !== null) headers.set('authorization', `Bearer ${options.key}`);
  return {
    name: options.name,
    model: options.model,
    basePath: url.pathname === '/' ? '' : url.pathname,
    headers,
    hasOwnKey: options.key !== null,
    timeoutMs: options.timeoutMs ?? null,
    http2,
    // One request a connection: an answer of minutes must not stand before another's first token. The router has its own
    // limit of time, which covers the whole answer.
    pool: new Pool(url.origin, {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca !== null && { ca }) },
      allowH2: http2,
    }),
  };
}

/** How long an answer may take: a split's limit says when an interval is over, so that no upstream can stretch it. */
export function timeLimit(upstream: Upstream, splitMs: number): number {
  return Math.min(upstream.timeoutMs ?? splitMs, splitMs);
}

/** The path at the upstream of a public path, which begins with `/v1`; the query stays. */
export function upstreamPath(upstream: Upstream, publicUrl: string): string {
  return upstream.basePath + publicUrl.slice('/v1'.length);
}
