/** Which Temporal a program talks to: flags, then Temporal's own variables and profiles, then a running `sluice up`. */
import { existsSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { SluiceError } from '../plan/failures.js';

/** Temporal's own flags. */
export interface TemporalOptions {
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  readonly profile?: string | undefined;
  readonly configFile?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly tlsCertPath?: string | undefined;
  readonly tlsKeyPath?: string | undefined;
  readonly tlsCaPath?: string | undefined;
  readonly tlsServerName?: string | undefined;
}

/** Where an address came from, for the error that names it. */
export type TargetOrigin = 'flag --address' | 'TEMPORAL_ADDRESS' | 'profile' | '.sluice/up.json' | 'default';

export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  readonly origin: TargetOrigin;
  /** TLS, key and metadata as Temporal's configuration gives them; holds secrets, never print it. */
  readonly connection: Pick<ClientConnectConfig['connectionOptions'], 'tls' | 'apiKey' | 'metadata'>;
}

export interface TargetSources {
  readonly options?: TemporalOptions;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What `.sluice/up.json` says, found by the caller. */
  readonly up?: { readonly address: string; readonly namespace: string } | null;
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const DEFAULT_NAMESPACE = 'default';

/**
 * Explicit options, else environment, else profile, else `up`, else 127.0.0.1:7233.
 * @throws SluiceError `config-invalid` when the configuration of Temporal cannot be read or asks for what the SDK cannot do
 */
export function resolveTemporalTarget(sources: TargetSources = {}): TemporalTarget {
  const options = sources.options ?? {};
  const env = { ...withoutEmpty(sources.env ?? process.env), ...asVariables(options) };
  if (options.configFile !== undefined && !existsSync(options.configFile)) {
    throw new SluiceError('config-invalid', `--config-file ${options.configFile} does not exist: correct the path`);
  }
  // The SDK reads this variable and then verifies all the same: better said than believed.
  if (/^(1|true)$/i.test(env['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'] ?? '')) {
    throw new SluiceError(
      'config-invalid',
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is set and the TypeScript SDK cannot do that: unset it and give the CA by TEMPORAL_TLS_SERVER_CA_CERT_PATH',
    );
  }
  const loaded = load(options, env);
  const { address, tls, apiKey, metadata } = loaded.connectionOptions;
  const up = sources.up ?? null;
  return {
    address: address ?? up?.address ?? DEFAULT_ADDRESS,
    namespace: loaded.namespace ?? (address === undefined ? up?.namespace : undefined) ?? DEFAULT_NAMESPACE,
    origin: originOf(options, env, address, up !== null),
    connection: {
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** The target in words, without anything secret. */
export function describeTarget(target: TemporalTarget): string {
  return `${target.address} (from ${target.origin}), namespace ${target.namespace}`;
}

function load(options: TemporalOptions, env: Record<string, string>): ClientConnectConfig {
  const profile = options.profile ?? env['TEMPORAL_PROFILE'];
  try {
    return loadClientConnectConfig({
      overrideEnvVars: env,
      ...(profile === undefined ? {} : { profile }),
      ...(options.configFile === undefined ? {} : { configSource: { path: options.configFile } }),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason';
    const where = profile === undefined ? '' : ` (profile ${profile})`;
    throw new SluiceError(
      'config-invalid',
      `the Temporal configuration${where} cannot be read: ${reason}; correct the file or the TEMPORAL_* variable it names`,
      { cause: error },
    );
  }
}

/** Flags win over variables, so they take the variables' places. */
function asVariables(options: TemporalOptions): Record<string, string> {
  return withoutEmpty({
    TEMPORAL_ADDRESS: options.address,
    TEMPORAL_NAMESPACE: options.namespace,
    TEMPORAL_API_KEY: options.apiKey,
    TEMPORAL_TLS: options.tls === undefined ? undefined : String(options.tls),
    TEMPORAL_TLS_CLIENT_CERT_PATH: options.tlsCertPath,
    TEMPORAL_TLS_CLIENT_KEY_PATH: options.tlsKeyPath,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: options.tlsCaPath,
    TEMPORAL_TLS_SERVER_NAME: options.tlsServerName,
  });
}

function withoutEmpty(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined && value !== '') kept[key] = value;
  return kept;
}

function originOf(
  options: TemporalOptions,
  env: Readonly<Record<string, string>>,
  address: string | undefined,
  hasUp: boolean,
): TargetOrigin {
  if (options.address !== undefined && options.address !== '') return 'flag --address';
  if (env['TEMPORAL_ADDRESS'] !== undefined) return 'TEMPORAL_ADDRESS';
  if (address !== undefined) return 'profile';
  return hasUp ? '.sluice/up.json' : 'default';
}
