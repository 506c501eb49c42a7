import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/plan/digest.js';
import { freezePlan } from '../../src/plan/freeze.js';
import type { Plan } from '../../src/plan/types.js';
import { context, errorOf, planWith, problemsWith } from './context.js';

const DAY = 86_400_000;
const ab = { kind: 'ab', for: '3d' };
/** What can be a primary by default. */
const USE =
  'Use one of "error_rate", "latency_p50", "latency_p95", "ttft_p50", "ttft_p95", "cache_hit_rate", "feedback", "refusal_rate", "abort_rate"';

describe('the preset ab', () => {
  it('is one stage of half the units that waits for a winner', () => {
    const { preset, stages, ab: ending } = planWith({ stages: 'ab' });
    expect(preset).toBe('ab');
    expect(stages).toHaveLength(1);
    expect(stages[0]).toMatchObject({
      name: 'ab',
      kind: 'ab',
      weights: { stable: 0.5, candidate: 0.5 },
      mirror: { share: 0 },
      durationMs: 14 * DAY,
      maxDurationMs: 14 * DAY,
      onUndecided: 'hold',
      mixtureShare: 1,
      ladder: 'late',
    });
    expect(ending).toEqual({ primary: 'error_rate', winner: 'recommend' });
  });
});

describe('a stage of kind ab', () => {
  it('stands among others as a canary does', () => {
    const { stages } = planWith({
      stages: [
        { kind: 'shadow', for: '1d' },
        { kind: 'canary', share: '5%', for: '1d' },
        ab,
        { kind: 'flip', for: '1d' },
      ],
      primary: 'latency_p95',
      winner: 'act',
    });
    expect(stages.map(({ name, mixtureShare, onUndecided }) => [name, mixtureShare, onUndecided])).toEqual([
      ['shadow', 0.2, 'advance'],
      ['canary-5', 0.35, 'extend'],
      ['ab', 0.35, 'hold'],
      ['flip', 0.1, 'advance'],
    ]);
  });

  it('takes a share and the settings of any stage', () => {
    const { stages } = planWith({
      stages: [{ ...ab, share: '20%', onUndecided: 'extend', maxFor: '7d', gate: 'manual' }],
    });
    expect(stages[0]).toMatchObject({
      weights: { stable: 0.8, candidate: 0.2 },
      maxDurationMs: 7 * DAY,
      gate: 'manual',
      ladder: 'early',
    });
  });

  it.each<[object, string]>([
    [
      { stages: [{ ...ab, share: '100%' }] },
      'stages[0].share is "100%": the whole traffic, which leaves nothing to compare with. Write less, such as "50%"',
    ],
    [
      {
        stages: [
          { kind: 'canary', share: '50%', for: '1d' },
          { ...ab, share: '20%' },
        ],
      },
      'stages[1].share is "20%": less than the 50% of an earlier stage. Put the stages in the order of a growing share',
    ],
    [{ stages: [ab], winner: 'promote' }, 'winner is "promote": unknown. Use one of "recommend", "act"'],
    [{ stages: [ab], primary: 'latency_p99' }, `primary is "latency_p99": no guardrail of the plan. ${USE}`],
    [
      { stages: [ab], primary: 'tokens_per_response' },
      `primary is "tokens_per_response": a guardrail on which the two variants of an ab stage cannot be compared both ways. ${USE}`,
    ],
    [
      { stages: [{ ...ab, share: '20%' }], primary: 'cache_hit_rate' },
      `primary is "cache_hit_rate": a guardrail on which the two variants of an ab stage cannot be compared both ways. ${USE.replace(', "cache_hit_rate"', '')}`,
    ],
    [
      { stages: [ab], primary: 'latency_p50', guardrails: { latency_p50: 'off' } },
      `primary is "latency_p50": no guardrail of the plan. ${USE.replace(', "latency_p50"', '')}`,
    ],
    [
      { stages: [ab], guardrails: { error_rate: 'off' } },
      `primary is missing: no guardrail of the plan: error_rate, the default, is off. ${USE.replace('"error_rate", ', '')}`,
    ],
    [
      { primary: 'error_rate' },
      'primary is "error_rate": without meaning, since no stage is of kind ab. Leave it out, or write stages: ab',
    ],
    [
      { winner: 'act' },
      'winner is "act": without meaning, since no stage is of kind ab. Leave it out, or write stages: ab',
    ],
  ])('%j', (keys, problem) => {
    expect(problemsWith(keys)).toContain(problem);
  });
});

describe('a frozen plan with an ab stage', () => {
  it('is taken again as it is', () => {
    const plan = planWith({ stages: 'ab', primary: 'latency_p50', winner: 'act' });
    expect(freezePlan(structuredClone(plan), context)).toEqual(plan);
  });

  it.each<[string, Pick<Plan, 'ab'>, string]>([
    ['without its ending', { ab: null }, 'ab'],
    ['with a primary that it does not have', { ab: { primary: 'judge', winner: 'act' } }, 'ab.primary'],
  ])('is refused %s', (_, changed, path) => {
    const { digest: __, ...plan } = { ...planWith({ stages: 'ab' }), ...changed };
    const refused = errorOf(() => freezePlan({ ...plan, digest: digestOf(plan) }, context));
    expect(refused.problems.map((problem) => problem.path)).toEqual([path]);
  });
});
