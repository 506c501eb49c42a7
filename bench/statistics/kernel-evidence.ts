import { logEValue } from '../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../src/statistics/evidence-grid.js';
import type { OneSidedTest } from '../../src/statistics/evidence-grid.js';
import { tableProfile } from '../../src/statistics/table-profile.js';
import type { Profile } from '../../src/statistics/table-profile.js';
import type { Table } from '../../src/statistics/table.js';
import type { Method, SequentialTest } from './sequential-test.js';

/** Profiles kept in memory; simulated batches have few different tables. */
const LARGEST_CACHE = 100_000;

/** What is asked: whether the log odds ratio exceeds `limit` (`greater`), or lies below it (`less`). */
export interface Question {
  readonly side: OneSidedTest['side'];
  readonly limit: number;
  /** d*, nats. */
  readonly typicalEffect: number;
}

/** sluice's own test, by the code that sluice ships; only the profile of a table that came before is looked up. */
export class KernelEvidence {
  readonly theta: Float64Array;
  private readonly test: OneSidedTest;
  private readonly profiles = new Map<number, Profile>();

  constructor({ side, limit, typicalEffect }: Question) {
    const builder = new EvidenceGridBuilder();
    this.test = side === 'greater' ? builder.greater(limit, typicalEffect) : builder.less(limit, typicalEffect);
    this.theta = builder.build().theta;
  }

  /** Adds a table's evidence to `sum`. */
  addTo(sum: Profile, table: Table): void {
    const profile = this.profileOf(table);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (profile[i] ?? 0);
  }

  /** ln E of a profile, or −∞ when a glance shows that it is below `bound`: an average never exceeds its largest part. */
  logE(sum: Profile, bound = -Infinity): number {
    return this.ceiling(sum) < bound ? -Infinity : logEValue(sum, this.test);
  }

  /** The largest of the averaged log likelihood ratios: ln E is never above it. */
  ceiling(sum: Profile): number {
    let largest = -Infinity;
    for (let i = 1; i < sum.length; i++) largest = Math.max(largest, sum[i] ?? 0);
    return largest - (sum[0] ?? 0);
  }

  private profileOf(table: Table): Profile {
    const { candidateEvents, candidateTrials, stableEvents, stableTrials } = table;
    // Below 2^53 for batches of up to 8000 requests a variant, which is far above those of the bench.
    const key = ((candidateTrials * 8192 + stableTrials) * 8192 + candidateEvents) * 8192 + stableEvents;
    const known = this.profiles.get(key);
    if (known) return known;
    const profile = tableProfile(this.theta, table);
    if (Math.max(candidateTrials, stableTrials) < 8192 && this.profiles.size < LARGEST_CACHE) {
      this.profiles.set(key, profile);
    }
    return profile;
  }
}

/** sluice's test as one of the methods that are compared: it stops at E ≥ 1/alpha. */
export function kernelMethod(name: string, evidence: KernelEvidence, alpha: number): Method {
  return { name, begin: () => new KernelTest(evidence, -Math.log(alpha)) };
}

class KernelTest implements SequentialTest {
  private readonly evidence: KernelEvidence;
  private readonly bound: number;
  private readonly sum: Profile;

  constructor(evidence: KernelEvidence, bound: number) {
    this.evidence = evidence;
    this.bound = bound;
    this.sum = new Float64Array(evidence.theta.length);
  }

  add(batch: Table): boolean {
    this.evidence.addTo(this.sum, batch);
    return this.evidence.logE(this.sum, this.bound) >= this.bound;
  }
}
