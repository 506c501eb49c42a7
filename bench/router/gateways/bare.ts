import { fileURLToPath } from 'node:url';
import { startChild } from '../machine/child.js';
import { MODEL } from '../settings.js';
import type { Gateway } from './gateway.js';

/** See bare-proxy.ts. */
export const bare: Gateway = {
  name: 'bare',
  title: 'bare node:http + undici',
  version: () => process.versions.node,
  async start({ upstreams, pinning }) {
    const program = fileURLToPath(new URL('bare-proxy.js', import.meta.url));
    const command = pinning.command('gateway', [process.execPath, program, String(upstreams.stable)]);
    const child = startChild(command, { env: { NODE_ENV: 'production' } });
    const port = Number((await child.line(/^(\d+)\n/))[1]);
    const target = { name: 'bare', title: 'bare node:http + undici', port, model: MODEL, headers: {} };
    return { targets: [{ ...target, process: child.process }], stop: child.stop };
  },
};
