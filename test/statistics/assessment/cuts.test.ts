import { describe, expect, it } from 'vitest';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import { averageLogE } from '../../../src/statistics/cuts.js';
import { logEValue } from '../../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../../src/statistics/evidence-grid.js';
import { exceedanceTable } from '../../../src/statistics/exceedance-table.js';
import { tableProfile } from '../../../src/statistics/table-profile.js';
import { errorRate, fivePlan, planWith, tokensPerResponse, TOKEN_BUCKETS } from './plan-fixture.js';
import { intervalOf } from './records.js';
import { runStages, statusOf } from './run-stages.js';
import { HEALTHY } from './simulate-evidence.js';

const plan = fivePlan({ guardrails: [errorRate({ weight: 1 }), tokensPerResponse()] });
const stable = { ...HEALTHY, medianTokens: 200 };

function rollout(seed: number, times: number) {
  const traffic = { requestsPerSecond: 300, stable, candidate: { ...stable, medianTokens: 200 * times } };
  return runStages(
    plan,
    seed,
    ['shadow', 'canary-5', 'canary-25'].map((stage) => ({ stage, seconds: 14, traffic })),
    1000,
  );
}

describe('tokens per response', () => {
  it('flags a candidate that talks twice as long, and goes on', () => {
    for (let seed = 0; seed < 10; seed++) {
      const assessment = rollout(seed, 2);
      expect(assessment.crossings).toMatchObject({
        rollback: null,
        hold: null,
        flag: { guardrails: ['tokens_per_response'], stage: 'shadow', named: true },
      });
    }
    const assessment = rollout(0, 2);
    const status = statusOf(assessment, 'tokens_per_response', 'canary-25');
    expect(status).toMatchObject({ verdict: 'breached', action: 'flag', logE: { safe: null }, needs: null });
    expect(status.stable).toBeGreaterThan(180);
    expect(status.stable).toBeLessThan(220);
    expect(status.ratio).toBeCloseTo(2, 0);
    expect(status.why).toMatch(/median tokens per response \d+ against \d+, (1\.9|2\.[01])\d times \(odds ratio/);
    const [low, high] = status.interval;
    expect(low).toBeGreaterThan(1);
    expect(high ?? Infinity).toBeGreaterThan(low ?? Infinity);
    const { promote } = assessment.read(stageName('canary-25'), { promoteFromGeneration: 0 });
    expect(promote.waiting.map(({ guardrail }) => guardrail)).not.toContain('tokens_per_response');
  });

  it('leaves a candidate alone that is no longer, or exactly at the limit', () => {
    const flags = [1, 1.5].map(
      (times) =>
        Array.from({ length: 20 }, (_, seed) => rollout(seed, times)).filter(({ crossings }) => crossings.flag).length,
    );
    // 3 of 20 would be no evidence against 5 %.
    expect(Math.max(...flags)).toBeLessThanOrEqual(3);
  });

  it('is the average over the cuts of the kernel at each cut’s own threshold', () => {
    const counts = { 100: 500, 120: 250, 140: 150, 150: 50, 160: 50 };
    const histogram = (values: Readonly<Record<number, number>>) => ({ ...TOKEN_BUCKETS, counts: values });
    const alone = planWith(tokensPerResponse());
    const assessment = createAssessment(alone, { tokens_per_response: histogram(counts) });
    const ofStable = { 100: 10, 125: 5, 145: 4, 170: 1 };
    const ofCandidate = { 100: 2, 125: 9, 145: 6, 175: 13 };
    const [first, second] = intervalOf({ second: 0 }, { trials: 20 }, { trials: 30 });
    if (!first || !second) throw new Error('no records');
    assessment.absorb([
      { ...first, histograms: { ...first.histograms, tokens_per_response: histogram(ofStable) } },
      { ...second, histograms: { ...second.histograms, tokens_per_response: histogram(ofCandidate) } },
    ]);
    const logs = [100, 120, 140, 150].map((threshold) => {
      const builder = new EvidenceGridBuilder();
      const test = builder.greater(0.02, 0.4);
      const table = exceedanceTable(ofCandidate, ofStable, threshold, 22);
      return logEValue(tableProfile(builder.build().theta, table), test);
    });
    const share = 0.2 + (2 * 0.7) / 3 + 0.7 / 3;
    // Restarts at the four stages up to this one hold all the evidence, the bake's is still 1.
    const expected = Math.log(share * Math.exp(averageLogE(logs)) + (1 - share));
    expect(statusOf(assessment, 'tokens_per_response', 'canary-50').logE.breach).toBeCloseTo(expected, 10);
    expect(new Set(logs.map((log) => log.toFixed(6))).size).toBeGreaterThan(2);
  });

  it('waits for its thresholds and leaves warm-up out', () => {
    const assessment = runStages(plan, 1, [
      { stage: 'canary-50', seconds: 3, traffic: { requestsPerSecond: 100, stable, candidate: stable } },
    ]);
    const status = statusOf(assessment, 'tokens_per_response', 'canary-50');
    // Two of the three seconds are warm-up.
    expect(status.n.stable + status.n.candidate).toBe(100);
    expect(status.why).toMatch(/waits for its threshold: \d+ of 200 requests of stable/);
  });

  it('goes on to the same digits from a snapshot', () => {
    const traffic = { requestsPerSecond: 60, stable, candidate: { ...stable, medianTokens: 400 }, replicas: 2 };
    const assessment = runStages(plan, 4, [{ stage: 'canary-50', seconds: 12, traffic }], 300);
    const restored = restoreAssessment(plan, JSON.parse(JSON.stringify(assessment.snapshot())));
    expect(restored.snapshot()).toEqual(assessment.snapshot());
    expect(statusOf(restored, 'tokens_per_response', 'canary-50')).toEqual(
      statusOf(assessment, 'tokens_per_response', 'canary-50'),
    );
  });
});
