import { z } from 'zod';
import type { UpstreamPorts } from './gateways/gateway.js';
import { startChild } from './machine/child.js';
import { nativeProgram } from './machine/native.js';
import type { Pinning } from './machine/pinning.js';

const counts = z.object({ a: z.number(), b: z.number() });

/** Two upstreams in one process; see native/mock.c. */
export interface MockUpstreams {
  readonly ports: UpstreamPorts;
  /** Completions asked of stable (`a`) and candidate (`b`). */
  counts(): Promise<z.infer<typeof counts>>;
  stop(): Promise<void>;
}

export async function startMockUpstreams(pinning: Pinning): Promise<MockUpstreams> {
  const child = startChild(pinning.command('rest', [nativeProgram('mock')]));
  const [, stable, candidate] = await child.line(/^(\d+) (\d+)\n/);
  return {
    ports: { stable: Number(stable), candidate: Number(candidate) },
    counts: async () => {
      const answer = await fetch(`http://127.0.0.1:${stable}/counts`);
      return counts.parse(await answer.json());
    },
    stop: child.stop,
  };
}
