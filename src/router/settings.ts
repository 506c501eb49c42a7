import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes, X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { Listen, SluiceConfig } from '../plan/config.js';
import { SluiceError } from '../plan/failures.js';
import type { UpstreamName } from '../plan/ids.js';
import { ClientAccess } from './client-access.js';
import { errorCode, errorText } from './log.js';
import { createUpstream } from './proxy/upstream.js';
import type { Upstream } from './proxy/upstream.js';
import { Secret } from './secret.js';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const GENERATED_KEY_BYTES = 32;

/** Throws `config-invalid` unless strangers are kept out, or let in on purpose. */
export function requireGuardedListen(config: SluiceConfig): void {
  if (LOOPBACK.has(config.listen.host) || config.clientKeysEnv !== null || config.allowAnonymous) return;
  const keyed = [...config.routes.values()].every(({ clientKeysEnv = [] }) => clientKeysEnv.length > 0);
  if (keyed) return;
  throw new SluiceError(
    'config-invalid',
    `listen: ${config.listen.host} is open to others and nobody is asked for a key; name clientKeysEnv, listen on 127.0.0.1, or set allowAnonymous: true`,
  );
}

/** The admin token. Throws `config-invalid` when its variable is empty: an admin API without one would be anyone's. */
export function adminToken(config: SluiceConfig, env: NodeJS.ProcessEnv): Secret {
  return new Secret(variable(env, config.admin.tokenEnv, 'admin.tokenEnv'));
}

/** Who may call what: the keys of the router and those of single routes. */
export function clientAccess(config: SluiceConfig, env: NodeJS.ProcessEnv): ClientAccess {
  const general = config.clientKeysEnv === null ? null : keysOf(env, config.clientKeysEnv, 'clientKeysEnv');
  const byRoute = new Map<string, readonly Secret[]>();
  for (const { name, clientKeysEnv = [] } of config.routes.values()) {
    if (clientKeysEnv.length === 0) continue;
    const keys = clientKeysEnv.flatMap((key) => keysOf(env, key, `routes.${name}.clientKeysEnv`));
    byRoute.set(name, keys);
  }
  return new ClientAccess(general, byRoute, [...config.routes.keys()]);
}

/** The keys in a variable, separated by commas. */
function keysOf(env: NodeJS.ProcessEnv, name: string, where: string): readonly Secret[] {
  const keys = variable(env, name, where)
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  if (keys.length === 0) throw missing(name, where);
  return keys.map((key) => new Secret(key));
}

/** Every upstream with its key and its connections. */
export function createUpstreams(config: SluiceConfig, env: NodeJS.ProcessEnv): ReadonlyMap<UpstreamName, Upstream> {
  const upstreams = new Map<UpstreamName, Upstream>();
  for (const { name, url, model, apiKeyEnv, headers, timeoutMs, caFile, http2 } of config.upstreams.values()) {
    const key = apiKeyEnv === null ? null : variable(env, apiKeyEnv, `upstreams.${name}.apiKeyEnv`);
    upstreams.set(
      name,
      createUpstream({
        name,
        baseUrl: url,
        model,
        key,
        headers,
        timeoutMs: timeoutMs ?? null,
        http2: http2 ?? false,
        ca: caFile === undefined || caFile === null ? null : certificates(caFile, `upstreams.${name}.caFile`),
      }),
    );
  }
  return upstreams;
}

/**
 * Keys of the request ids: those that `tokenKeyEnv` names, the first one signing. Without any this router makes one of its
 * own and keeps it; ratings then count only on the router that issued the id, so that a fleet must name one.
 */
export async function requestIdKeys(
  config: SluiceConfig,
  env: NodeJS.ProcessEnv,
  stateDirectory: string,
): Promise<readonly [Buffer, ...Buffer[]]> {
  const [first, ...others] = config.tokenKeyEnv.map((name) => Buffer.from(variable(env, name, 'tokenKeyEnv')));
  if (first !== undefined) return [first, ...others];
  return [
    Buffer.from(
      await persisted(stateDirectory, 'request-id-key', () => randomBytes(GENERATED_KEY_BYTES).toString('hex')),
    ),
  ];
}

/** A name that stays with the state directory: evidence of the same replica adds up under it over restarts. */
export function persistedReplica(stateDirectory: string, listen: Listen): Promise<string> {
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? 'router' : listen.host;
  return persisted(stateDirectory, 'replica', () => `${host}-${randomBytes(4).toString('hex')}`);
}

/** The file's content; made once. */
async function persisted(directory: string, name: string, make: () => string): Promise<string> {
  const file = path.join(directory, name);
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(file, `${make()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const content = (await readFile(file, 'utf8')).trim();
  if (content === '')
    throw new SluiceError('config-invalid', `${file} is empty; delete it, and the router makes a new one`);
  return content;
}

/** The PEM certificates of a file. Throws `config-invalid` when there are none. */
function certificates(file: string, where: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SluiceError(
      'config-invalid',
      `${where}: ${file} cannot be read (${errorText(error)}); name a file of PEM certificates`,
    );
  }
  try {
    // The first of them: enough to tell a key or a typo from a certificate before a request does.
    void new X509Certificate(pem);
  } catch (error) {
    throw new SluiceError(
      'config-invalid',
      `${where}: ${file} is no certificate (${errorText(error)}); name a file of PEM certificates`,
    );
  }
  return pem;
}

function variable(env: NodeJS.ProcessEnv, name: string, where: string): string {
  const value = env[name];
  if (value === undefined || value.trim() === '') throw missing(name, where);
  return value.trim();
}

function missing(name: string, where: string): SluiceError {
  return new SluiceError(
    'config-invalid',
    `${where} of sluice.yaml names the environment variable ${name}, which is not set or empty; set it`,
  );
}
