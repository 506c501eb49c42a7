import type { Target } from './gateways/gateway.js';
import { shuffled } from './figures.js';
import { runLoad } from './load.js';
import type { Pinning } from './machine/pinning.js';
import { processorMicroseconds, processTree } from './machine/process-cost.js';
import type { MockUpstreams } from './mock-upstreams.js';
import type { Sample } from './results.js';
import { FIRST_WARM_UP_MS, MEASUREMENTS, WARM_UP_MS } from './settings.js';
import type { Measurement } from './settings.js';

export interface Bench {
  readonly targets: readonly Target[];
  readonly mock: MockUpstreams;
  readonly pinning: Pinning;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** All rounds: in each one all measurements, in each of them all targets in a new order. */
export async function measureRounds(bench: Bench, rounds: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const target of bench.targets) {
    await runLoad(bench.pinning, {
      target,
      request: 'short',
      connections: 32,
      milliseconds: FIRST_WARM_UP_MS,
      seed: 1,
    });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, measurement] of MEASUREMENTS.entries()) {
      const asked = bench.targets.filter((target) => takesPart(measurement, target));
      for (const target of shuffled(asked, bench.seed + 100 * round + index)) {
        samples.push(await measure(bench, measurement, target, round));
      }
    }
    bench.say(`round ${round + 1} of ${rounds}`);
  }
  return samples;
}

/** What a feature costs is a question of saturation only; LiteLLM would take minutes for its streams. */
function takesPart({ name }: Measurement, target: Target): boolean {
  if (name === 'saturated') return true;
  if (target.name.includes(', mirror')) return false;
  if (target.name === 'bare' || target.name.includes(', resting')) return name === 'long' || name === 'events';
  if (name === 'single' || name === 'first-token') return true;
  return target.name !== 'litellm';
}

async function measure(bench: Bench, measurement: Measurement, target: Target, round: number): Promise<Sample> {
  const { pinning, mock } = bench;
  const { name, request, connections, milliseconds } = measurement;
  const load = { target, request, connections, milliseconds, seed: bench.seed + 1_000 * round };
  await runLoad(pinning, { ...load, milliseconds: WARM_UP_MS, seed: load.seed + 1 });
  const tree = target.process === null ? null : processTree(target.process);
  const countsBefore = await mock.counts();
  const before = tree === null ? 0 : processorMicroseconds(tree);
  const report = await runLoad(pinning, load);
  const processorUs = tree === null ? null : processorMicroseconds(tree) - before;
  const counts = await mock.counts();
  const candidate = counts.b - countsBefore.b;
  return {
    measurement: name,
    target: target.name,
    round,
    load: report,
    processorUs,
    candidateShare: candidate / (candidate + counts.a - countsBefore.a),
  };
}
