import { describe, expect, it } from 'vitest';
import { stageName } from '../../../src/plan/ids.js';
import { errorRate, firstToken, fivePlan } from './plan-fixture.js';
import { runStages, statusOf } from './run-stages.js';
import { HEALTHY } from './simulate-evidence.js';

const plan = fivePlan({
  guardrails: [errorRate({ weight: 0.6 }), firstToken(0.5, { weight: 0.2 }), firstToken(0.95, { weight: 0.2 })],
});

function rollout(streamShare: number, seconds: number, slowness = 1, seedRequests = 0) {
  const stable = { ...HEALTHY, streamShare };
  const candidate = { ...stable, medianMs: HEALTHY.medianMs * slowness };
  return runStages(
    plan,
    5,
    ['canary-25', 'canary-50'].map((stage) => ({
      stage,
      seconds,
      traffic: { requestsPerSecond: 300, stable, candidate },
    })),
    seedRequests,
  );
}

const waitingFor = (assessment: ReturnType<typeof rollout>) =>
  assessment
    .read(stageName('canary-50'), { promoteFromGeneration: 2 })
    .promote.waiting.map(({ guardrail }) => guardrail);

describe('times to first token', () => {
  it('gate nothing where nothing is streamed, and say that they are not measured', () => {
    const assessment = rollout(0, 60);
    expect(waitingFor(assessment)).toEqual([]);
    expect(assessment.read(stageName('canary-50'), { promoteFromGeneration: 2 }).promote.open).toBe(true);
    for (const name of ['ttft_p50', 'ttft_p95'] as const) {
      const status = statusOf(assessment, name, 'canary-50');
      expect(status).toMatchObject({ verdict: 'undecided', stable: null, n: { stable: 0, candidate: 0 }, needs: null });
      expect(status.why).toContain('not measured: stable has answered no streamed request, so it gates nothing');
    }
  });

  it('gate where stable streams, if only in its own meter before the rollout', () => {
    expect(waitingFor(rollout(1, 4))).toEqual(['error_rate', 'ttft_p50', 'ttft_p95']);
    expect(waitingFor(rollout(1, 60))).toEqual([]);
    // Not a request of the rollout yet, but stable is known to stream.
    expect(waitingFor(rollout(1, 0, 1, 1000))).toEqual(['error_rate', 'ttft_p50', 'ttft_p95', 'min_requests']);
  });

  it('count streams alone', () => {
    const status = statusOf(rollout(0.1, 20), 'ttft_p50', 'canary-50');
    const values = status.n.stable + status.n.candidate;
    // 300 a second for 18 seconds past warm-up, a tenth of them streamed.
    expect(values).toBeGreaterThan(450);
    expect(values).toBeLessThan(630);
    expect(status.stable).toBeGreaterThan(70);
    expect(status.stable).toBeLessThan(90);
  });

  it('roll a candidate back whose streams begin too late', () => {
    expect(rollout(0.3, 20, 1.8, 1000).crossings.rollback?.guardrails).toEqual(expect.arrayContaining(['ttft_p50']));
  });
});
