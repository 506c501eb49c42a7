/** `sluice.yaml`, read and resolved. */
import path from 'node:path';
import { isLoopback } from './address-schema.js';
import type { CheckConfig, FleetEntry, Listen, SluiceConfig, UpstreamConfig } from './config.js';
import { writtenConfig } from './config-schema.js';
import type { WrittenConfig } from './config-schema.js';
import { readDocument } from './document.js';
import type { SourceDocument } from './document.js';
import { DEFAULT_HTTP_LIMITS } from './http-limits.js';
import type { HttpLimits } from './http-limits.js';
import { routeName, upstreamName } from './ids.js';
import type { Problem } from './problem.js';
import { documentError, valueProblem } from './problem.js';
import { check } from './schema-problems.js';
import { suggestion } from './suggestion.js';

const ADMIN_TOKEN_ENV = 'SLUICE_ADMIN_TOKEN';
const TOKEN_KEY_ENV = 'SLUICE_TOKEN_KEY';

/**
 * Reads and checks `sluice.yaml`. Secrets stay where they are: the file names environment variables, see
 * `missingVariables`.
 * @throws DocumentError (a SluiceError) `config-invalid` with every problem, line and column
 */
export function parseConfigFile(path: string): SluiceConfig {
  return resolveConfig(readDocument(path, 'config-invalid'));
}

/** As `parseConfigFile`, of a document at hand. */
export function resolveConfig(source: SourceDocument): SluiceConfig {
  const checked = check(writtenConfig, source.value);
  const problems = checked.ok ? crossProblems(checked.value) : checked.problems;
  if (!checked.ok || problems.length > 0)
    throw documentError(problems, { fallback: 'config-invalid', what: 'sluice.yaml', ...source });
  return resolved(checked.value, path.dirname(source.sourcePath));
}

/** `directory`: where the file is, from which its paths lead. */
function resolved(written: WrittenConfig, directory: string): SluiceConfig {
  const admin = {
    listen: written.admin?.listen ?? { host: '127.0.0.1', port: 8701 },
    tokenEnv: written.admin?.tokenEnv ?? ADMIN_TOKEN_ENV,
  };
  return {
    listen: listenOf(written),
    admin,
    fleet: written.fleet?.map((entry) => member(entry, admin.tokenEnv)) ?? [
      { kind: 'address', admin: `http://${hostPort(admin.listen)}`, tokenEnv: admin.tokenEnv },
    ],
    upstreams: new Map(upstreams(written, directory).map((upstream) => [upstream.name, upstream])),
    routes: new Map(
      Object.entries(written.routes).map(([key, { stable, unitHeader, clientKeysEnv }]) => {
        const name = routeName(key);
        return [name, { name, stable, unitHeader: unitHeader ?? null, clientKeysEnv: clientKeysEnv ?? [] }];
      }),
    ),
    webhooks: new Map(
      Object.entries(written.webhooks ?? {}).map(([name, { url, urlEnv, format }]) => [
        name,
        { name, url: url ?? null, urlEnv: urlEnv ?? null, format: format ?? 'generic' },
      ]),
    ),
    checks: new Map(Object.entries(written.checks ?? {}).map(([name, entry]) => [name, checkOf(name, entry)])),
    tokenKeyEnv: written.tokenKeyEnv ?? [TOKEN_KEY_ENV],
    clientKeysEnv: written.clientKeysEnv ?? null,
    allowAnonymous: written.allowAnonymous ?? false,
    limits: limitsOf(written),
    stateDirectory: written.stateDirectory ?? null,
  };
}

function upstreams(written: WrittenConfig, directory: string): readonly UpstreamConfig[] {
  return Object.entries(written.upstreams).map(([key, { url, model, apiKeyEnv, headers, timeout, caFile, http2 }]) => ({
    name: upstreamName(key),
    url,
    model,
    apiKeyEnv: apiKeyEnv ?? null,
    headers: headers ?? {},
    timeoutMs: timeout ?? null,
    caFile: caFile === undefined ? null : path.resolve(directory, caFile),
    http2: http2 ?? false,
  }));
}

function limitsOf({ limits = {} }: WrittenConfig): HttpLimits {
  return {
    headerBytes: limits.headerBytes ?? DEFAULT_HTTP_LIMITS.headerBytes,
    bodyBytes: limits.bodyBytes ?? DEFAULT_HTTP_LIMITS.bodyBytes,
    headersTimeoutMs: limits.headersTimeout ?? DEFAULT_HTTP_LIMITS.headersTimeoutMs,
    bodyTimeoutMs: limits.bodyTimeout ?? DEFAULT_HTTP_LIMITS.bodyTimeoutMs,
  };
}

function member(entry: NonNullable<WrittenConfig['fleet']>[number], tokenEnv: string): FleetEntry {
  return 'admin' in entry
    ? { kind: 'address', admin: entry.admin, tokenEnv: entry.tokenEnv ?? tokenEnv }
    : { kind: 'dns', name: entry.dns, port: entry.port, tokenEnv: entry.tokenEnv ?? tokenEnv };
}

function checkOf(name: string, entry: NonNullable<WrittenConfig['checks']>[string]): CheckConfig {
  if ('url' in entry) return { kind: 'url', name, url: entry.url, timeoutMs: entry.timeout ?? 30_000 };
  if ('command' in entry) return { kind: 'command', name, command: entry.command, timeoutMs: entry.timeout ?? 600_000 };
  const { workflow, taskQueue, timeout } = entry;
  return { kind: 'workflow', name, workflowType: workflow, taskQueue, timeoutMs: timeout ?? 86_400_000 };
}

function listenOf(written: WrittenConfig): Listen {
  return written.listen ?? { host: '127.0.0.1', port: 8700 };
}

/** `127.0.0.1:8701`, `[::1]:8701`. */
function hostPort({ host, port }: Listen): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What is legal piece by piece and does not fit together. */
function crossProblems(written: WrittenConfig): readonly Problem[] {
  const names = Object.keys(written.upstreams);
  const problems: Problem[] = [];
  if (names.length === 0)
    problems.push({ path: ['upstreams'], message: 'upstreams: empty. Write at least one upstream' });
  if (Object.keys(written.routes).length === 0)
    problems.push({ path: ['routes'], message: 'routes: empty. Write at least one route' });
  for (const [name, { stable }] of Object.entries(written.routes))
    if (!names.includes(stable))
      problems.push(
        valueProblem(['routes', name, 'stable'], stable, `no upstream of this file. ${suggestion(stable, names)}`),
      );
  for (const [name, upstream] of Object.entries(written.upstreams))
    for (const key of ['caFile', 'http2'] as const)
      if (upstream.url.startsWith('http:') && upstream[key] !== undefined && upstream[key] !== false)
        problems.push(
          valueProblem(
            ['upstreams', name, key],
            String(upstream[key]),
            'of use only with TLS. Write an https url, or leave it out',
          ),
        );
  const listen = listenOf(written);
  const keyed = Object.values(written.routes).every(({ clientKeysEnv }) => clientKeysEnv !== undefined);
  if (!isLoopback(listen.host) && written.clientKeysEnv === undefined && !keyed && written.allowAnonymous !== true)
    problems.push(
      valueProblem(
        ['listen'],
        hostPort(listen),
        'an address that other machines reach, without client keys. Name an environment variable with the keys: clientKeysEnv, or write allowAnonymous: true',
      ),
    );
  const admin = written.admin?.listen;
  if (admin !== undefined && admin.port !== 0 && admin.port === listen.port && admin.host === listen.host)
    problems.push(
      valueProblem(
        ['admin', 'listen'],
        hostPort(admin),
        'the address of "listen" too. The admin API has a listener of its own',
      ),
    );
  return problems;
}

/** An environment variable that a configuration names and that is not set, with what it is for. */
export interface MissingVariable {
  readonly variable: string;
  /** `upstreams["llama-31"].apiKeyEnv`. */
  readonly usedBy: string;
}

/** Variables that a router of this configuration needs and `env` lacks. */
export function missingVariables(
  config: SluiceConfig,
  env: Readonly<Record<string, string | undefined>>,
): readonly MissingVariable[] {
  const used: MissingVariable[] = [{ variable: config.admin.tokenEnv, usedBy: 'admin.tokenEnv' }];
  for (const { name, apiKeyEnv } of config.upstreams.values())
    if (apiKeyEnv !== null) used.push({ variable: apiKeyEnv, usedBy: `upstreams["${name}"].apiKeyEnv` });
  for (const { name, urlEnv } of config.webhooks.values())
    if (urlEnv !== null) used.push({ variable: urlEnv, usedBy: `webhooks["${name}"].urlEnv` });
  for (const [index, entry] of config.fleet.entries())
    used.push({ variable: entry.tokenEnv, usedBy: `fleet[${index}].tokenEnv` });
  for (const name of config.tokenKeyEnv) used.push({ variable: name, usedBy: 'tokenKeyEnv' });
  if (config.clientKeysEnv !== null) used.push({ variable: config.clientKeysEnv, usedBy: 'clientKeysEnv' });
  for (const { name, clientKeysEnv = [] } of config.routes.values())
    for (const variable of clientKeysEnv) used.push({ variable, usedBy: `routes["${name}"].clientKeysEnv` });
  return used.filter(({ variable }) => (env[variable] ?? '') === '');
}
