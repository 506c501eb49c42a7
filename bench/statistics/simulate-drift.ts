import { tableProfile } from '../../src/statistics/table-profile.js';
import type { Table } from '../../src/statistics/table.js';
import { GrowthbookTest } from './comparators/growthbook-test.js';
import { RunningTable } from './comparators/z-test.js';
import { BatchSource } from './draw-batch.js';
import type { KernelEvidence } from './kernel-evidence.js';
import { kernelMethod } from './kernel-evidence.js';
import { anyIncrease } from './methods.js';
import type { Random } from './sampling/random.js';
import { firstStops } from './sequential-test.js';
import type { Method, SequentialTest } from './sequential-test.js';
import { ALPHA, batchOf } from './settings.js';

export const DRIFT_METHODS = ['sluice', 'sluice’s kernel on one pooled table', 'GrowthBook, pooled'] as const;

/** A service whose error rate grows while the candidate's share does. */
const STAGES = [
  { share: 0.05, rate: 0.01 },
  { share: 0.25, rate: 0.015 },
  { share: 0.5, rate: 0.02 },
] as const;
const LOOKS_PER_STAGE = 300;

/** A pooled table of 10^5 requests costs a thousand times a small one, so it is looked at less often. */
const LOOKS_BETWEEN_POOLED = 30;

/**
 * Ramps of a candidate as good as stable, 5 → 25 → 50 %, while the service itself goes from 1 to 2 % errors: whoever sums
 * requests over the ramp compares the candidate's late requests with stable's early ones.
 */
export class DriftSimulation {
  private readonly sources: readonly BatchSource[];
  private readonly methods: readonly Method[];

  constructor() {
    this.sources = STAGES.map(({ share, rate }) => new BatchSource(batchOf(400, share), rate, rate));
    const evidence = anyIncrease();
    this.methods = [
      kernelMethod(DRIFT_METHODS[0], evidence, ALPHA),
      { name: DRIFT_METHODS[1], begin: () => new PooledKernel(evidence) },
      { name: DRIFT_METHODS[2], begin: () => new GrowthbookTest(ALPHA) },
    ];
  }

  /** Whether each method rolled back, in the order of `DRIFT_METHODS`. */
  run(random: Random): boolean[] {
    const [first] = this.sources;
    if (!first) throw new RangeError('no stages to simulate');
    const stops = firstStops(this.methods, LOOKS_PER_STAGE * STAGES.length, (look) => {
      const source = this.sources[Math.floor((look - 1) / LOOKS_PER_STAGE)] ?? first;
      return source.draw(random);
    });
    return stops.map((look) => look < Infinity);
  }
}

class PooledKernel implements SequentialTest {
  private readonly evidence: KernelEvidence;
  private readonly sum = new RunningTable();
  private looks = 0;

  constructor(evidence: KernelEvidence) {
    this.evidence = evidence;
  }

  add(batch: Table): boolean {
    this.sum.add(batch);
    this.looks++;
    if (this.looks % LOOKS_BETWEEN_POOLED > 0) return false;
    return this.evidence.logE(tableProfile(this.evidence.theta, this.sum)) >= -Math.log(ALPHA);
  }
}
