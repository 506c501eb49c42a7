import type { Batch, SequentialTest } from '../sequential-test.js';
import { normalQuantile } from './fixed-sample.js';

/** Candidate requests whose rate is one value of the judge's series. */
const WINDOW = 100;
/** Values of a series below which nothing is judged. */
const LEAST_VALUES = 10;
/** Two-sided confidence of the interval, and how far it must lie from 0 in units of the estimate. */
const CONFIDENCE = 0.98;
const TOLERANCE = 0.25;

const CRITICAL = normalQuantile((1 + CONFIDENCE) / 2);

/**
 * The judge of Kayenta for one metric that must not increase: the candidate's values, one a window, against those of a
 * baseline of equal size, by a Mann-Whitney interval for the shift. It fails the candidate when the interval's lower end
 * exceeds a quarter of the Hodges-Lehmann estimate.
 *
 * As its code does it: the normal approximation with correction for continuity and ties, 98 % two-sided; without its
 * optional removal of outliers. It is meant for a few looks at fixed times; here it looks after every window.
 */
export class KayentaJudge implements SequentialTest {
  private readonly candidate = new Counts();
  private readonly baseline = new Counts();
  /** How many pairs (candidate value, baseline value) differ by so much. */
  private readonly differences = new Counts();
  private open = { candidate: 0, baseline: 0, trials: 0 };

  add(batch: Batch): boolean {
    this.open.candidate += batch.candidateEvents;
    this.open.baseline += batch.matchedStableEvents;
    this.open.trials += batch.candidateTrials;
    if (this.open.trials < WINDOW) return false;
    this.addValues(this.open.candidate, this.open.baseline);
    this.open = { candidate: 0, baseline: 0, trials: 0 };
    return this.candidate.total >= LEAST_VALUES && this.fails();
  }

  /** One more value of each series; windows have equal trials, so that counts stand for rates. */
  addValues(candidate: number, baseline: number): void {
    this.baseline.add(baseline);
    this.baseline.forEach((value, count) => this.differences.add(candidate - value, count));
    this.candidate.forEach((value, count) => this.differences.add(value - baseline, count));
    this.candidate.add(candidate);
  }

  /** Whether the metric is classified as too high. */
  fails(): boolean {
    const lower = this.shiftAt(CRITICAL);
    return lower > 0 && lower > TOLERANCE * Math.abs(this.shiftAt(0));
  }

  /**
   * The shift at which the standardised rank statistic falls to `quantile`: an interval's end, or at 0 the estimate.
   * The statistic is a step function that falls at differences of values; where it is 0 over a whole step, the middle.
   */
  private shiftAt(quantile: number): number {
    const { lowest, highest } = this.differences;
    const pairs = this.differences.total;
    const deviation = this.deviation();
    let above = pairs;
    for (let shift = lowest; shift <= highest; shift++) {
      above -= this.differences.at(shift);
      const distance = above - pairs / 2;
      const corrected = (distance - Math.sign(distance) * 0.5) / deviation;
      if (corrected < quantile) return shift;
      if (corrected === quantile) return shift + 0.5;
    }
    return highest;
  }

  /** Of the rank statistic between two steps, where no candidate value ties with a baseline value. */
  private deviation(): number {
    const n = this.candidate.total;
    const both = 2 * n;
    let ties = 0;
    const addTie = (_: number, count: number): void => {
      ties += count ** 3 - count;
    };
    this.candidate.forEach(addTie);
    this.baseline.forEach(addTie);
    return Math.sqrt(((n * n) / 12) * (both + 1 - ties / (both * (both - 1))));
  }
}

/** How often each whole number came. */
class Counts {
  total = 0;
  lowest = Infinity;
  highest = -Infinity;
  private readonly counts = new Map<number, number>();

  add(value: number, count = 1): void {
    this.counts.set(value, this.at(value) + count);
    this.total += count;
    this.lowest = Math.min(this.lowest, value);
    this.highest = Math.max(this.highest, value);
  }

  at(value: number): number {
    return this.counts.get(value) ?? 0;
  }

  forEach(visit: (value: number, count: number) => void): void {
    for (const [value, count] of this.counts) visit(value, count);
  }
}
