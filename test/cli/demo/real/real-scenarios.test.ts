import { describe, expect, it } from 'vitest';
import { REAL_SCENARIOS, realPlan } from '../../../../src/cli/demo/real/real-scenarios.js';
import { upstreamName } from '../../../../src/plan/ids.js';
import { freezePlan } from '../../../../src/plan/freeze.js';
import type { Plan } from '../../../../src/plan/types.js';
import { createAssessment } from '../../../../src/statistics/assessment/assessment.js';
import { EvidenceSimulator } from '../../../statistics/assessment/simulate-evidence.js';
import type { Behaviour, Traffic } from '../../../statistics/assessment/simulate-evidence.js';

const RATE = 3.5;

function plan(requestsPerSecond = RATE): Plan {
  const written = realPlan({ route: 'support', candidate: 'smollm2-q8', requestsPerSecond });
  return freezePlan(written, { config: null, stable: upstreamName('smollm2') });
}

/** What a model does that answers everything. */
const SOUND: Behaviour = { errorRate: 0, medianMs: 160, logSd: 0.6 };

/** Where the whole plan ends, and after how long, ms of stages. */
function outcomeOf(seed: number, traffic: Omit<Traffic, 'requestsPerSecond'>): { outcome: string; stageMs: number } {
  const frozen = plan();
  const assessment = createAssessment(frozen, {});
  const simulator = new EvidenceSimulator(frozen, seed);
  let stageMs = 0;
  for (const stage of frozen.stages) {
    let stageElapsedMs = 0;
    let ended = false;
    const seconds = stage.maxDurationMs / 1000;
    for (const records of simulator.stage(stage.name, seconds, { ...traffic, requestsPerSecond: RATE })) {
      stageElapsedMs += stage.intervalMs;
      assessment.absorb(records);
      if (assessment.crossings.rollback !== null) {
        const { guardrails } = assessment.crossings.rollback;
        return { outcome: `${stage.name}: ${guardrails.join()}`, stageMs: stageMs + stageElapsedMs };
      }
      if (stageElapsedMs < stage.durationMs) continue;
      const { promote, requests } = assessment.read(stage.name, { promoteFromGeneration: 0 });
      const sawEnough = requests.candidate >= stage.minRequests && requests.stable > 0;
      ended = sawEnough && (stage.onUndecided === 'advance' || promote.open);
      if (ended) break;
    }
    stageMs += stageElapsedMs;
    if (!ended) return { outcome: `${stage.name}: held`, stageMs };
  }
  return { outcome: 'promoted', stageMs };
}

describe('the plan of the real models', () => {
  it('is the five-week plan, with stages as long as their requests take', () => {
    expect(plan().stages.map(({ name, durationMs, onUndecided }) => [name, durationMs, onUndecided])).toEqual([
      ['shadow', 243_000, 'advance'],
      ['canary-5', 46_000, 'advance'],
      ['canary-25', 29_000, 'advance'],
      ['canary-50', 69_000, 'extend'],
      ['flip', 29_000, 'advance'],
    ]);
  });

  it('takes longer on a slower machine, but not for ever', () => {
    const seconds = (rate: number): number =>
      plan(rate).stages.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
    expect([seconds(7), seconds(RATE), seconds(2.5), seconds(0.1)]).toEqual([210, 416, 580, 580]);
  });

  it.each([0, -1, Number.NaN])('refuses a rate of %s', (rate) => {
    expect(() => plan(rate)).toThrow(RangeError);
  });

  it('rolls back on errors and on a doubled median, only flags p95, and holds on what it cannot judge', () => {
    expect(plan().guardrails.map(({ name, action }) => ({ name, action }))).toEqual([
      { name: 'error_rate', action: 'rollback' },
      { name: 'latency_p50', action: 'rollback' },
      { name: 'latency_p95', action: 'flag' },
      { name: 'refusal_rate', action: 'hold' },
      { name: 'abort_rate', action: 'hold' },
      { name: 'response_rate', action: 'hold' },
      { name: 'tokens_per_response', action: 'flag' },
      { name: 'sample_ratio', action: 'hold' },
    ]);
  });
});

describe('what its evidence says', () => {
  const seeds = [1, 2, 3, 4, 5];

  it.each(seeds)('promotes a model that is as good, within 8 minutes of stages (seed %s)', (seed) => {
    const { outcome, stageMs } = outcomeOf(seed, { stable: SOUND, candidate: { ...SOUND, medianMs: 190 } });
    expect(outcome).toBe(REAL_SCENARIOS.requantised.expected.outcome);
    expect(stageMs).toBeLessThan(8 * 60_000);
  });

  it.each(seeds)('rolls one back that refuses a quarter, in shadow and within a minute (seed %s)', (seed) => {
    const { outcome, stageMs } = outcomeOf(seed, { stable: SOUND, candidate: { ...SOUND, errorRate: 0.25 } });
    expect(outcome).toBe('shadow: error_rate');
    expect(stageMs).toBeLessThan(60_000);
  });
});
