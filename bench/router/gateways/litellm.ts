import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { installedVersion } from '../install/installed.js';
import { freePort, startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway } from './gateway.js';

/** One worker without database, keys, logs or guardrails: the cheapest way to run it. */
export const litellm: Gateway = {
  name: 'litellm',
  title: 'LiteLLM',
  version: () => installedVersion('litellm'),
  async start({ upstreams, pinning }) {
    const port = await freePort();
    const file = inBench('litellm', 'config.yaml');
    const deployment = (upstream: number, weight: number) => ({
      model_name: MODEL,
      litellm_params: {
        model: 'openai/mock',
        api_base: `http://127.0.0.1:${upstream}/v1`,
        api_key: 'sk-bench',
        weight,
      },
    });
    const models = [deployment(upstreams.stable, STABLE_SHARE), deployment(upstreams.candidate, 1 - STABLE_SHARE)];
    writeFileSync(file, stringify({ model_list: models }));
    const start = 'from litellm import run_server; run_server()';
    const flags = ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'];
    const child = startChild(pinning.command('gateway', ['python3', '-c', start, ...flags]), {
      env: {
        PYTHONPATH: inBench('litellm'),
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_MODE: 'PRODUCTION',
        LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
        LITELLM_LOG: 'ERROR',
      },
    });
    return {
      targets: [{ name: 'litellm', title: 'LiteLLM', port, model: MODEL, headers: {}, process: child.process }],
      stop: child.stop,
    };
  },
};
