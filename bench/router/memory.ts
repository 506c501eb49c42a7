import { setTimeout as wait } from 'node:timers/promises';
import type { Gateway } from './gateways/gateway.js';
import { runLoad, whileStreamsIdle } from './load.js';
import type { Pinning } from './machine/pinning.js';
import { processTree, residentBytes } from './machine/process-cost.js';
import { startGateway } from './gateways/start.js';
import type { MockUpstreams } from './mock-upstreams.js';
import type { Memory } from './results.js';
import { FIRST_WARM_UP_MS, IDLE_STREAMS } from './settings.js';

/** They are slow to open two thousand streams, and no target asks for it. */
const NO_IDLE_STREAMS = new Set(['portkey', 'litellm']);
const SETTLE_MS = 500;

/** Memory of a gateway that did nothing else before: after 32 busy connections, then with 2,000 streams that only stand. */
export async function measureMemory(gateway: Gateway, mock: MockUpstreams, pinning: Pinning): Promise<Memory | null> {
  const running = await startGateway(gateway, { upstreams: mock.ports, pinning });
  try {
    const [target] = running.targets;
    if (target === undefined || target.process === null) return null;
    await runLoad(pinning, { target, request: 'short', connections: 32, milliseconds: FIRST_WARM_UP_MS, seed: 1 });
    const tree = processTree(target.process);
    if (tree === null) return null;
    const resident = residentBytes(tree);
    const name = target.name;
    if (NO_IDLE_STREAMS.has(name)) return { target: name, resident, perIdleStream: null };
    const withStreams = await whileStreamsIdle(pinning, target, IDLE_STREAMS, async () => {
      await wait(SETTLE_MS);
      return residentBytes(tree);
    });
    return { target: name, resident, perIdleStream: (withStreams - resident) / IDLE_STREAMS };
  } finally {
    await running.stop();
  }
}
