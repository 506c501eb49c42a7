import { installedVersion } from '../install/installed.js';
import { freePort, startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway } from './gateway.js';

/** Its split comes with each request, in a header. */
export const portkey: Gateway = {
  name: 'portkey',
  title: 'Portkey',
  version: () => installedVersion('portkey'),
  async start({ upstreams, pinning }) {
    const port = await freePort();
    const program = inBench('portkey', 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
    const command = [process.execPath, program, '--headless', `--port=${port}`];
    const child = startChild(pinning.command('gateway', command), { env: { NODE_ENV: 'production' } });
    const to = (upstream: number, weight: number) => ({
      provider: 'openai',
      api_key: 'sk-bench',
      custom_host: `http://127.0.0.1:${upstream}/v1`,
      weight,
    });
    const targets = [to(upstreams.stable, STABLE_SHARE), to(upstreams.candidate, 1 - STABLE_SHARE)];
    const headers = { 'x-portkey-config': JSON.stringify({ strategy: { mode: 'loadbalance' }, targets }) };
    return {
      targets: [{ name: 'portkey', title: 'Portkey', port, model: MODEL, headers, process: child.process }],
      stop: child.stop,
    };
  },
};
