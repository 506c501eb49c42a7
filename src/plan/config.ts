/** `sluice.yaml`, resolved: the only place of URLs, keys, module paths, commands and files. */
import type { HttpLimits } from './http-limits.js';
import type { RouteName, UpstreamName } from './ids.js';

export interface Listen {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export interface UpstreamConfig {
  readonly name: UpstreamName;
  /** Base URL including the version path: `http://127.0.0.1:8080/v1`, without a slash at its end. */
  readonly url: string;
  /** The model name that the upstream knows. */
  readonly model: string;
  /** Name of the environment variable that holds the key; null = the client's own Authorization passes through. */
  readonly apiKeyEnv: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** For a whole answer, ms; without it the time limit of the split alone. */
  readonly timeoutMs?: number | null;
  /** Absolute path of PEM certificates, trusted instead of the system's. */
  readonly caFile?: string | null;
  /** Offer HTTP/2 in the TLS handshake. */
  readonly http2?: boolean;
}

export interface RouteConfig {
  readonly name: RouteName;
  readonly stable: UpstreamName;
  /** Lower-case request header that names the unit; null = from the body only. */
  readonly unitHeader: string | null;
  /** Environment variables with the keys of this route's clients, each comma-separated; empty = those of the router. */
  readonly clientKeysEnv?: readonly string[];
}

export type FleetEntry =
  | { readonly kind: 'address'; readonly admin: string; readonly tokenEnv: string }
  | { readonly kind: 'dns'; readonly name: string; readonly port: number; readonly tokenEnv: string };

export interface WebhookConfig {
  readonly name: string;
  readonly url: string | null;
  /** Environment variable that holds the URL, since a webhook URL is a secret; exactly one of `url`, `urlEnv`. */
  readonly urlEnv: string | null;
  readonly format: 'generic' | 'slack';
}

/** A user's own gate: passes on 2xx, on exit 0, or when the workflow returns `{ pass: true }`. */
export type CheckConfig =
  | { readonly kind: 'url'; readonly name: string; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: 'command'; readonly name: string; readonly command: readonly string[]; readonly timeoutMs: number }
  | {
      readonly kind: 'workflow';
      readonly name: string;
      readonly workflowType: string;
      readonly taskQueue: string;
      readonly timeoutMs: number;
    };

export interface SluiceConfig {
  readonly listen: Listen;
  readonly admin: { readonly listen: Listen; readonly tokenEnv: string };
  readonly fleet: readonly FleetEntry[];
  readonly upstreams: ReadonlyMap<UpstreamName, UpstreamConfig>;
  readonly routes: ReadonlyMap<RouteName, RouteConfig>;
  readonly webhooks: ReadonlyMap<string, WebhookConfig>;
  readonly checks: ReadonlyMap<string, CheckConfig>;
  /** Environment variables of the HMAC keys for request ids: the first signs, all verify. */
  readonly tokenKeyEnv: readonly string[];
  /** Environment variable with comma-separated client keys; null = none are asked for. */
  readonly clientKeysEnv: string | null;
  readonly allowAnonymous: boolean;
  /** What a client may cost; the router's own limits without it. */
  readonly limits?: HttpLimits;
  /** Directory of the router's state; null = `.sluice/router` beside the file. */
  readonly stateDirectory: string | null;
}
