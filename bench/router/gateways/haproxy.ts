import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from '../install/installed.js';
import { freePort, startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway, UpstreamPorts } from './gateway.js';

/** Weighted, not sticky. */
export const haproxy: Gateway = {
  name: 'haproxy',
  title: 'HAProxy',
  version: () => installedVersion('haproxy'),
  async start({ upstreams, pinning }) {
    const port = await freePort();
    const file = inBench('haproxy', 'haproxy.cfg');
    writeFileSync(file, configuration(port, upstreams));
    const program = inBench('haproxy', 'usr', 'sbin', 'haproxy');
    const libraries = inBench('haproxy', 'usr', 'lib');
    const path = readdirSync(libraries).map((name) => join(libraries, name));
    const command = pinning.command('gateway', [program, '-db', '-q', '-f', file]);
    const child = startChild(command, { env: { LD_LIBRARY_PATH: path.join(':') } });
    return {
      targets: [{ name: 'haproxy', title: 'HAProxy', port, model: MODEL, headers: {}, process: child.process }],
      stop: child.stop,
    };
  },
};

/** `http-no-delay`: without it each event of a stream waits 100 ms for the next one. */
function configuration(port: number, { stable, candidate }: UpstreamPorts): string {
  const weight = Math.round(STABLE_SHARE * 100);
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  option http-no-delay
  http-reuse always
frontend public
  bind 127.0.0.1:${port}
  default_backend models
backend models
  balance random
  server stable 127.0.0.1:${stable} weight ${weight}
  server candidate 127.0.0.1:${candidate} weight ${100 - weight}
`;
}
