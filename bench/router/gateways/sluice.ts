import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { rolloutId, stageName, upstreamName } from '../../../src/plan/ids.js';
import type { Split } from '../../../src/plan/split.js';
import { startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway } from './gateway.js';

const TOKEN = 'bench-admin-token';
const ANSWER_TIMEOUT_MS = 600_000;
const execute = promisify(execFile);

/** Routes of one router: what its features cost is measured in the same process. */
const ROUTES = { full: MODEL, resting: 'resting', mirrored: 'mirrored' } as const;

/** The router of a checkout, as `sluice router` runs it: one process, a rollout in force. `directory`: the checkout's. */
export function sluice(name: string, directory = resolve('.')): Gateway {
  const program = join(directory, 'bin', 'sluice.mjs');
  return {
    name,
    title: name,
    version: () => directory,
    async start({ upstreams, pinning }) {
      // Builds where there is no build yet: not on the core where it is going to be measured.
      await execute(process.execPath, [program, '--version'], { cwd: directory });
      const home = inBench(name);
      rmSync(home, { recursive: true, force: true });
      mkdirSync(home, { recursive: true });
      const file = join(home, 'sluice.yaml');
      const upstream = (port: number) => ({ url: `http://127.0.0.1:${port}/v1`, model: 'mock-model' });
      writeFileSync(
        file,
        stringify({
          listen: '127.0.0.1:0',
          admin: { listen: '127.0.0.1:0', tokenEnv: 'SLUICE_ADMIN_TOKEN' },
          upstreams: { stable: upstream(upstreams.stable), candidate: upstream(upstreams.candidate) },
          routes: Object.fromEntries(Object.values(ROUTES).map((route) => [route, { stable: 'stable' }])),
        }),
      );
      const flags = ['router', '--config', file, '--state', join(home, 'state')];
      const child = startChild(pinning.command('gateway', [process.execPath, program, ...flags]), {
        cwd: directory,
        env: { SLUICE_ADMIN_TOKEN: TOKEN, SLUICE_TOKEN_KEY: 'bench-token-key', NODE_ENV: 'production' },
      });
      const started = await child.line(/clients (http\S+:(\d+)), admin (\S+)\n/);
      const port = Number(started[2]);
      const admin = started[3] ?? '';
      await putSplit(admin, ROUTES.full, split(ROUTES.full, 0));
      await putSplit(admin, ROUTES.mirrored, split(ROUTES.mirrored, 1));
      const target = (suffix: string, model: string) => ({
        name: `${name}${suffix}`,
        title: `${name}${suffix}`,
        port,
        model,
        headers: {},
        process: child.process,
      });
      return {
        targets: [
          target('', ROUTES.full),
          target(', resting', ROUTES.resting),
          target(', mirror 100%', ROUTES.mirrored),
        ],
        stop: child.stop,
      };
    },
  };
}

async function putSplit(admin: string, route: string, value: Split): Promise<void> {
  const answer = await fetch(`${admin}/admin/v1/routes/${route}/split`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  if (!answer.ok) throw new Error(`the router refused a split: ${answer.status} ${await answer.text()}`);
}

/** A canary stage with the histograms of a default plan, their thresholds known; `mirrorShare` of it goes to the candidate too. */
function split(route: string, mirrorShare: number): Split {
  const candidateShare = mirrorShare === 0 ? 1 - STABLE_SHARE : 0;
  const histogram = { gamma: 1.2 ** 0.1, xMin: 0.001, thresholdIndex: 700 };
  return {
    generation: 1,
    rollout: rolloutId(`${route}@2026-01-01T00:00:00Z`),
    stage: stageName('canary-5'),
    weights: { stable: 1 - candidateShare, candidate: candidateShare },
    upstreams: { stable: upstreamName('stable'), candidate: upstreamName('candidate') },
    mirror: { variant: 'candidate', share: mirrorShare },
    salt: 'bench',
    lease: { seconds: 86_400, onExpiry: 'stable' },
    metering: {
      intervalMs: 10_000,
      warmupMs: 0,
      requestTimeoutMs: ANSWER_TIMEOUT_MS,
      feedbackHorizonMs: 3_600_000,
      histograms: { latency_p50: histogram, latency_p95: histogram, ttft_p50: histogram, ttft_p95: histogram },
      strata: ['served', 'paired'],
    },
  };
}
