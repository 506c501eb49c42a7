import { readFileSync } from 'node:fs';
import { createSluiceRouterBackend } from '../../backends/sluice-router.js';
import type { Member, RouteView, TrafficBackend } from '../../backends/traffic-backend.js';
import type { SluiceConfig } from '../../plan/config.js';
import type { RouteName } from '../../plan/ids.js';
import type { Io } from '../io.js';
import { findUpFile } from '../workspace.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

const MAX_SKEW_MS = 5_000;

/** Every member of the fleet: reachable, authorised, of one mind about each route, its clock right. */
export async function fleetFindings(io: Io, config: SluiceConfig): Promise<readonly Finding[]> {
  const backend = createSluiceRouterBackend({ config: () => config, env: withToken(io, config) });
  try {
    const signal = AbortSignal.timeout(10_000);
    const members = await backend.members([], signal);
    const routes = [...config.routes.keys()];
    const perRoute = await Promise.all(routes.map((route) => routeFindings(backend, members, route, signal)));
    return perRoute.flat();
  } catch (error) {
    return [fail(wordsOf(error), 'correct fleet in sluice.yaml')];
  } finally {
    await backend.close();
  }
}

/** Beside a running `up` the token is in its file: nobody has to export it to look. */
function withToken(io: Io, config: SluiceConfig): NodeJS.ProcessEnv {
  const up = findUpFile(io.cwd);
  if (up === null || io.env[config.admin.tokenEnv] !== undefined) return io.env;
  return { ...io.env, [config.admin.tokenEnv]: readFileSync(up.adminTokenFile, 'utf8').trim() };
}

async function routeFindings(
  backend: TrafficBackend,
  members: readonly Member[],
  route: RouteName,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const views: RouteView[] = [];
  for (const member of members) {
    try {
      const view = await backend.readSplit(member, route, signal);
      views.push(view);
      const skewMs = Math.abs(view.now - Date.now());
      if (skewMs > MAX_SKEW_MS)
        findings.push(
          warn(
            `the clock of ${member.address} is off by ${String(Math.round(skewMs / 1_000))} s from this machine's`,
            'check NTP on both',
          ),
        );
    } catch (error) {
      findings.push(fail(`${member.address}: ${wordsOf(error)}`, 'start the router, or correct its address or token'));
    }
  }
  const generations = new Set(views.map((view) => view.split.generation));
  if (generations.size > 1)
    findings.push(
      warn(
        `routers disagree about ${route}: generations ${[...generations].join(', ')}`,
        'a worker mends this within a minute; is one running?',
      ),
    );
  if (findings.length === 0)
    findings.push(ok(`${route}: ${String(views.length)} routers at generation ${String([...generations][0] ?? 0)}`));
  return findings;
}
