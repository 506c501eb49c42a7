/** From a rollback signal to the router serving 100% stable: 20 rollouts on the embedded stack. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDemoStack } from '../../src/cli/demo/demo-stack.js';
import { startSampleEndpoint } from '../../src/cli/demo/sample-endpoint.js';
import { startSampleTraffic } from '../../src/cli/demo/sample-traffic.js';
import { demoPlan } from '../../src/cli/demo/scenarios.js';
import { untilServed } from '../../src/cli/demo/until-served.js';
import { processIo } from '../../src/cli/io.js';
import { openSession } from '../../src/cli/session.js';
import { startRollout } from '../../src/cli/start-rollout.js';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import { parseConfigFile } from '../../src/plan/config-file.js';
import { routeName } from '../../src/plan/ids.js';
import { readFileSync } from 'node:fs';

const ROUTE = routeName('support');
const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } });
const io = processIo();
const REQUESTS_PER_SECOND = 50;
const stable = await startSampleEndpoint({ model: 'llama-3.1-8b-instruct', seed: 1 });
const candidate = await startSampleEndpoint({ model: 'llama-3.2-8b-instruct', seed: 2 });
const stack = await startDemoStack(join(io.cwd, '.sluice', 'bench-rollback'), { stable, candidate }, io);
const traffic = startSampleTraffic({
  router: stack.up.router.url,
  route: ROUTE,
  behaviour: { requestsPerSecond: REQUESTS_PER_SECOND },
});
const config = parseConfigFile(stack.up.config);
const backend = createSluiceRouterBackend({
  config: () => config,
  env: { [config.admin.tokenEnv]: readFileSync(stack.up.adminTokenFile, 'utf8').trim() },
});
const session = await openSession(stack.up.temporal, io);
const signal = AbortSignal.timeout(600_000);
const [member] = await backend.members([], signal);
if (member === undefined) throw new Error('the fleet is empty');

const times: number[] = [];
await untilServed(traffic, 250, 30_000);
for (let run = 0; run < Number(values.runs); run++) {
  const { status } = await startRollout(
    session,
    io,
    { written: { ...demoPlan(REQUESTS_PER_SECOND), route: ROUTE } },
    { config: stack.up.config },
  );
  const handle = session.client.workflow.getHandle(`rollout/${status.route}`);
  // In force with its mirror: there is something to take back.
  while ((await backend.readSplit(member, ROUTE, signal)).split.lease === null) await new Promise(setImmediate);
  const began = performance.now();
  await handle.signal('rollback', { by: 'bench', reason: 'measured' });
  while ((await backend.readSplit(member, ROUTE, signal)).split.lease !== null) await new Promise(setImmediate);
  times.push(performance.now() - began);
  await handle.result();
}
times.sort((left, right) => left - right);
const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(0);
io.print(`signal to 100% stable over ${times.length} rollbacks: median ${at(0.5)} ms, range ${at(0)} to ${at(1)} ms`);

await session.close();
await backend.close();
await traffic.stop(2_000);
await stack.stop();
await candidate.close();
await stable.close();
