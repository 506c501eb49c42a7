import { describe, expect, it } from 'vitest';
import { freezeGuardrails } from '../../src/plan/freeze-guardrails.js';
import { writtenPlan } from '../../src/plan/plan-schema.js';
import { check } from '../../src/plan/schema-problems.js';
import type { Guardrail } from '../../src/plan/types.js';

const TO_COME = ['divergence', 'judge'];

/** Every guardrail of the table, with what a plan writes of them. */
function frozen(guardrails: object = {}): { guardrails: readonly Guardrail[]; problems: readonly string[] } {
  const checked = check(writtenPlan, { route: 'support', candidate: 'llama-32', guardrails });
  if (!checked.ok) return { guardrails: [], problems: checked.problems.map(({ message }) => message) };
  const result = freezeGuardrails(checked.value, TO_COME);
  return { guardrails: result.guardrails, problems: result.problems.map(({ message }) => message) };
}

function one(name: string, guardrails: object = {}): Guardrail | undefined {
  return frozen(guardrails).guardrails.find((guardrail) => guardrail.name === name);
}

describe('the table of guardrails', () => {
  it('gives each its action, its limit and its weight within its family', () => {
    const { guardrails, problems } = frozen();
    expect(problems).toEqual([]);
    const rows = guardrails.map((guardrail) => [
      guardrail.name,
      guardrail.kind,
      guardrail.action,
      'limit' in guardrail ? guardrail.limit : null,
      Number(guardrail.weight.toFixed(6)),
    ]);
    const hold = (weight: number): number => Number((weight / 0.6).toFixed(6));
    expect(rows).toEqual([
      ['error_rate', 'rate', 'rollback', 1.05, 0.25],
      ['latency_p50', 'quantile', 'rollback', 1.2, 0.1],
      ['latency_p95', 'quantile', 'rollback', 1.2, 0.15],
      ['ttft_p50', 'quantile', 'rollback', 1.2, 0.1],
      ['ttft_p95', 'quantile', 'rollback', 1.2, 0.1],
      ['cache_hit_rate', 'rate', 'rollback', 1.03, 0.1],
      ['feedback', 'feedback', 'rollback', 1.05, 0.2],
      ['refusal_rate', 'rate', 'hold', 1.1, hold(0.35)],
      ['abort_rate', 'rate', 'hold', 1.1, hold(0.15)],
      ['response_rate', 'rate', 'hold', 1.1, hold(0.1)],
      ['tokens_per_response', 'cuts', 'flag', 1.5, 1],
      ['sample_ratio', 'sample-ratio', 'hold', null, 1],
    ]);
  });

  it('looks both ways where more and less are both a reason to', () => {
    const both = frozen().guardrails.filter((guardrail) => guardrail.kind === 'rate' && guardrail.twoSided);
    expect(both.map(({ name }) => name)).toEqual(['refusal_rate', 'abort_rate', 'response_rate']);
  });

  it('scales weights over those that are on, the sample ratio apart', () => {
    const { guardrails } = frozen({ ttft_p50: 'off', ttft_p95: 'off', cache_hit_rate: 'off', abort_rate: 'off' });
    const weights = Object.fromEntries(guardrails.map(({ name, weight }) => [name, Number(weight.toFixed(6))]));
    expect(weights).toMatchObject({
      error_rate: Number((0.25 / 0.7).toFixed(6)),
      feedback: Number((0.2 / 0.7).toFixed(6)),
      refusal_rate: Number((0.35 / 0.45).toFixed(6)),
      sample_ratio: 1,
    });
  });

  it('gates on feedback and the cache only where the plan writes promote', () => {
    expect(one('feedback')).toMatchObject({ promote: null });
    expect(one('cache_hit_rate')).toMatchObject({ promote: null, typicalEffect: 0.2 });
    expect(one('feedback', { feedback: { promote: {} } })).toMatchObject({
      promote: { ratios: { early: 2, middle: 1.5, late: 1.3 }, absolute: 0 },
    });
    expect(one('cache_hit_rate', { cache_hit_rate: { promote: { late: 1.15 } } })).toMatchObject({
      promote: { ratios: { middle: 1.2, late: 1.15 }, absolute: 0 },
    });
    expect(one('feedback', { feedback: { promote: {}, margin: '+3 points' } })).toMatchObject({
      promote: { absolute: 0.03 },
    });
  });

  it('cuts token counts so that the limit is whole buckets, from one token on', () => {
    expect(one('tokens_per_response')).toMatchObject({
      quantiles: [0.5, 0.75, 0.9, 0.95],
      limitShift: 22,
      histogram: { gamma: 1.5 ** (1 / 22), xMin: 1 },
    });
    expect(one('tokens_per_response', { tokens_per_response: { limit: 2, action: 'hold' } })).toMatchObject({
      action: 'hold',
      limitShift: 38,
    });
  });

  it('measures times to the first token as it measures latencies', () => {
    const ttft = one('ttft_p95');
    expect(ttft).toMatchObject({ signal: 'ttft', quantile: 0.95, limitShift: 10 });
    expect(ttft).toMatchObject({ promote: { shifts: { early: 17, middle: 13, late: 10 } } });
  });

  it('takes the chance of a false alarm of the sample ratio', () => {
    expect(one('sample_ratio')).toMatchObject({ alpha: 0.001 });
    expect(one('sample_ratio', { sample_ratio: { falseAlarm: '0.01%', action: 'flag' } })).toMatchObject({
      alpha: 0.0001,
      action: 'flag',
    });
  });

  it.each(['ttft_p50', 'cache_hit_rate', 'feedback', 'refusal_rate', 'tokens_per_response', 'sample_ratio'])(
    '%s can be switched off',
    (name) => {
      expect(one(name, { [name]: 'off' })).toBeUndefined();
    },
  );

  it.each<[object, string]>([
    [
      { feedback: { margin: '+1 points' } },
      'guardrails.feedback.margin: without meaning, since feedback gates only where "promote" is written. Write promote: {} beside it, or leave it out',
    ],
    [
      { feedback: { horizon: '24h' } },
      'guardrails.feedback.horizon: unknown key. Use one of "limit", "margin", "weight", "action", "promote"',
    ],
    [
      { cache_hit_rate: { promote: { middle: 1.01 } } },
      'guardrails.cache_hit_rate.promote.middle is 1.01: below the limit 1.03, beyond which the candidate is rolled back. Write at least 1.03',
    ],
    [
      { refusal_rate: { promote: { late: 1.2 } } },
      'guardrails.refusal_rate.promote: unknown key. Nothing gates on a change that counts both ways; leave it out',
    ],
    [{ response_rate: { limit: 0.9 } }, 'guardrails.response_rate.limit is 0.9: not a number from 1 to 10'],
    [
      { tokens_per_response: { promote: {} } },
      'guardrails.tokens_per_response.promote: unknown key. It never gates; leave it out',
    ],
    [
      { sample_ratio: { weight: 2 } },
      'guardrails.sample_ratio.weight: unknown key. It alarms by itself and shares no budget; set "falseAlarm"',
    ],
    [
      { sample_ratio: { falseAlarm: 0.001 } },
      'guardrails.sample_ratio.falseAlarm is 0.001: a share needs a percent sign. Write "0.001%" or, if it is meant as a fraction, "0.1%"',
    ],
    [
      { sample_ratio: { action: 'rollback' } },
      'guardrails.sample_ratio.action is "rollback": unknown. Use one of "hold", "flag"',
    ],
    [
      { ttft_p95: { margin: '+1 points' } },
      'guardrails.ttft_p95.margin: unknown key. A latency has no margin in points; set ratios under "promote"',
    ],
  ])('%j is refused', (guardrails, problem) => {
    expect(frozen(guardrails).problems).toEqual([problem]);
  });
});
