import { logEValue } from '../../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../../src/statistics/evidence-grid.js';
import type { OneSidedTest } from '../../../src/statistics/evidence-grid.js';
import { tableProfile } from '../../../src/statistics/table-profile.js';

export interface Margins {
  readonly candidateTrials: number;
  readonly stableTrials: number;
  readonly events: number;
}

/**
 * Σ over all tables with these margins of p_truth(table)·E(table): 1 when the truth is the limit of the test, below 1
 * inside the null hypothesis. It proves the kernel exact, by enumeration and with a probability of its own (log
 * factorials summed, not the code under test). `truth` is a log odds ratio in nats.
 */
export function expectedEValue(
  margins: Margins,
  test: { readonly side: OneSidedTest['side']; readonly limit: number; readonly typicalEffect: number },
  truth: number,
): number {
  const { candidateTrials, stableTrials, events } = margins;
  const builder = new EvidenceGridBuilder();
  const gridTest =
    test.side === 'greater'
      ? builder.greater(test.limit, test.typicalEffect)
      : builder.less(test.limit, test.typicalEffect);
  const { theta } = builder.build();

  const logFactorial = logFactorials(candidateTrials + stableTrials);
  const logChoose = (n: number, k: number): number =>
    (logFactorial[n] ?? 0) - (logFactorial[k] ?? 0) - (logFactorial[n - k] ?? 0);
  const lowest = Math.max(0, events - stableTrials);
  const highest = Math.min(candidateTrials, events);
  const tables = Array.from({ length: highest - lowest + 1 }, (_, k) => {
    const candidateEvents = lowest + k;
    const stableEvents = events - candidateEvents;
    const logWeight =
      logChoose(candidateTrials, candidateEvents) + logChoose(stableTrials, stableEvents) + candidateEvents * truth;
    const profile = tableProfile(theta, { candidateEvents, candidateTrials, stableEvents, stableTrials });
    return { logWeight, logE: logEValue(profile, gridTest) };
  });
  const largest = Math.max(...tables.map(({ logWeight }) => logWeight));
  let weightedSum = 0;
  let weights = 0;
  for (const { logWeight, logE } of tables) {
    const weight = Math.exp(logWeight - largest);
    weights += weight;
    weightedSum += weight * Math.exp(logE);
  }
  return weightedSum / weights;
}

function logFactorials(largest: number): Float64Array {
  const logs = new Float64Array(largest + 1);
  for (let n = 2; n <= largest; n++) logs[n] = (logs[n - 1] ?? 0) + Math.log(n);
  return logs;
}
