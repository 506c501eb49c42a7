import { request } from 'undici';
import type { RouteConfig, UpstreamConfig } from '../../../src/plan/config.js';
import { routeName, upstreamName } from '../../../src/plan/ids.js';
import type { Router } from '../../../src/router/router.js';
import { startHarness } from './harness.js';
import type { Harness } from './harness.js';

export const KEYS = {
  SUPPORT_KEYS: 'sk-support-1, sk-support-2',
  SUPPORT_MORE: 'sk-support-3',
  SALES_KEYS: 'sk-sales',
  OWN_KEY: 'sk-upstream-own',
  TOKEN_KEY: 'sk-token-key-of-request-ids',
};

function route(name: string, stable: string, clientKeysEnv: readonly string[]): RouteConfig {
  return { name: routeName(name), stable: upstreamName(stable), unitHeader: null, clientKeysEnv };
}

/** Routes with keys and one without, upstreams with a key of their own and one without. */
export function startKeyedHarness(): Promise<Harness> {
  return startHarness((config) => {
    const upstreams = [...config.upstreams.values()].map((upstream): UpstreamConfig => ({
      ...upstream,
      apiKeyEnv: 'OWN_KEY',
    }));
    const url = upstreams[0]?.url ?? '';
    upstreams.push({ name: upstreamName('keyless'), url, model: 'k', apiKeyEnv: null, headers: {} });
    const routes = [
      route('support', 'old', ['SUPPORT_KEYS', 'SUPPORT_MORE']),
      route('sales', 'keyless', ['SALES_KEYS']),
      route('open', 'keyless', []),
    ];
    return {
      ...config,
      tokenKeyEnv: ['TOKEN_KEY'],
      upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])),
      routes: new Map(routes.map((each) => [each.name, each])),
    };
  }, KEYS);
}

export interface KeyedAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface KeyedCall {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function callWithKey(
  router: Router,
  path: string,
  key: string | null,
  { body, headers }: KeyedCall = {},
): Promise<KeyedAnswer> {
  const answer = await request(`${router.publicUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers };
}
