import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/plan/digest.js';
import { SluiceError } from '../../src/plan/failures.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { upstreamName } from '../../src/plan/ids.js';
import type { Plan } from '../../src/plan/types.js';
import { config, context, errorOf, planWith } from './context.js';

const DAY = 86_400_000;

/** How freezing ends; an error of any other kind is its own text. */
function outcomeOf(anything: unknown): string {
  try {
    return freezePlan(anything, context).version === 1 ? 'plan or SluiceError' : 'something else';
  } catch (error) {
    return error instanceof SluiceError ? 'plan or SluiceError' : String(error);
  }
}

/** The plan with the digest that fits it. */
function withDigest(plan: Plan): Plan {
  const { digest: _, ...rest } = plan;
  return { ...rest, digest: digestOf(rest) };
}

/** What JSON leaves of a plan: how the workflow hands it to its first activity. */
function throughJson(plan: Plan): unknown {
  return JSON.parse(JSON.stringify(plan));
}

describe('freezing', () => {
  it('resolves the smallest plan to the five weeks of the design', () => {
    const plan = planWith({});
    expect(plan).toMatchObject({
      version: 1,
      route: 'support',
      stable: 'llama-31',
      candidate: 'llama-32',
      preset: 'five-week',
      falseRollback: 0.05,
      falseHold: 0.05,
      falseFlag: 0.05,
      falsePromote: 0.05,
      requestTimeoutMs: 300_000,
      lease: { seconds: 900, onExpiry: 'stable' },
      notify: [],
    });
    expect(
      plan.stages.map(({ name, durationMs, onUndecided, maxDurationMs, ladder }) => [
        name,
        durationMs / DAY,
        onUndecided,
        maxDurationMs / DAY,
        ladder,
      ]),
    ).toEqual([
      ['shadow', 7, 'advance', 7, 'early'],
      ['canary-5', 7, 'advance', 7, 'early'],
      ['canary-25', 7, 'advance', 7, 'middle'],
      ['canary-50', 7, 'extend', 14, 'late'],
      ['flip', 7, 'advance', 7, 'late'],
    ]);
    expect(plan.stages.map(({ weights, mirror }) => [weights, mirror])).toEqual([
      [
        { stable: 1, candidate: 0 },
        { variant: 'candidate', share: 1 },
      ],
      [
        { stable: 0.95, candidate: 0.05 },
        { variant: 'candidate', share: 0 },
      ],
      [
        { stable: 0.75, candidate: 0.25 },
        { variant: 'candidate', share: 0 },
      ],
      [
        { stable: 0.5, candidate: 0.5 },
        { variant: 'candidate', share: 0 },
      ],
      [
        { stable: 0, candidate: 1 },
        { variant: 'stable', share: 0.1 },
      ],
    ]);
    for (const stage of plan.stages)
      expect(stage).toMatchObject({
        intervalMs: 60_000,
        warmupMs: 300_000,
        feedbackHorizonMs: DAY,
        minRequests: 100,
        gate: 'auto',
        window: null,
        checks: [],
      });
  });

  it('gives the same digest for the same plan, and another for another', () => {
    expect(planWith({}).digest).toMatch(/^[0-9a-f]{64}$/);
    expect(planWith({ stages: 'five-week' }).digest).toBe(planWith({}).digest);
    expect(planWith({ falseRollback: '1%' }).digest).not.toBe(planWith({}).digest);
  });

  it('takes stable from the ledger before the file', () => {
    const plan = freezePlan({ route: 'support', candidate: 'llama-31' }, { config, stable: upstreamName('llama-32') });
    expect(plan.stable).toBe('llama-32');
  });

  it('freezes without a file when the ledger knows what is stable', () => {
    const plan = freezePlan({ route: 'other', candidate: 'b' }, { config: null, stable: upstreamName('a') });
    expect(plan).toMatchObject({ route: 'other', stable: 'a', candidate: 'b' });
  });

  it('returns a frozen plan as it is', () => {
    const plan = planWith({ stages: 'canary', guardrails: { latency_p50: 'off' }, notify: ['releases'] });
    expect(freezePlan(throughJson(plan), context)).toEqual(plan);
  });

  it('refuses a frozen plan that was changed', () => {
    const plan = planWith({});
    expect(errorOf(() => freezePlan({ ...plan, falseRollback: 0.01 }, context)).message).toBe(
      `digest is "${plan.digest}": the digest of another plan: this one was changed after it had been frozen. Start from the plan file`,
    );
    expect(errorOf(() => freezePlan({ ...plan, extra: 1 }, context)).message).toMatch(/^extra: unknown key\./);
    expect(errorOf(() => freezePlan({ ...plan, stages: [] }, context)).code).toBe('plan-invalid');
    expect(errorOf(() => freezePlan({ ...plan, version: 2 }, context)).message).toBe(
      'version is 2: another version of the frozen plan. Freeze the plan with this version of sluice',
    );
  });

  it('refuses a frozen plan that could never have been frozen, whatever its digest says', () => {
    const plan = planWith({ defaults: { window: { hours: '09:00-17:00', timeZone: 'UTC' } } });
    const [first, ...rest] = plan.stages;
    const refused = (keys: object): string =>
      errorOf(() => freezePlan(withDigest({ ...plan, ...keys }), context)).message;
    const stages = (keys: object): object => ({ stages: [{ ...first, ...keys }, ...rest] });
    expect(refused(stages({ weights: { stable: 1, candidate: 0.5 } }))).toMatch(
      /^stages\[0\]\.weights .*do not sum to 1/,
    );
    expect(refused(stages({ window: { ...first?.window, timeZone: 'Mars' } }))).toMatch(/no time zone known here/);
    expect(refused(stages({ lookTimesMs: [2, 1] }))).toMatch(/looks that do not ascend/);
    expect(refused(stages({ name: 'flip' }))).toMatch(/a name twice/);
    expect(refused({ guardrails: plan.guardrails.slice(1) })).toMatch(/do not sum to 1/);
  });

  it('refuses a frozen plan whose route has another stable upstream by now', () => {
    const plan = freezePlan({ route: 'r', candidate: 'b' }, { config: null, stable: upstreamName('a') });
    expect(errorOf(() => freezePlan(plan, { config: null, stable: upstreamName('c') })).message).toBe(
      'stable is "a": no longer the stable upstream of route r, which is c. Start from the plan file',
    );
  });

  it('refuses a frozen plan that names what is not there', () => {
    const plan = freezePlan({ route: 'support', candidate: 'b' }, { config: null, stable: upstreamName('llama-31') });
    const error = errorOf(() => freezePlan(plan, context));
    expect(error.code).toBe('candidate-unknown');
    expect(error.message).toBe('candidate is "b": no upstream of sluice.yaml. Use one of "llama-31", "llama-32"');
  });
});

describe('freezing anything', () => {
  const percent = fc.integer({ min: 1, max: 99 }).map((value) => `${value}%`);
  const seconds = fc.integer({ min: 1, max: 4_000_000 }).map((value) => `${value}s`);
  const written = fc.record(
    {
      stages: fc.oneof(
        fc.constantFrom('five-week', 'canary', 'shadow-only'),
        fc
          .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 6 })
          .map((shares) =>
            shares.toSorted((a, b) => a - b).map((share) => ({ kind: 'canary', share: `${share}%`, for: '1d' })),
          ),
      ),
      guardrails: fc.record(
        {
          latency_p50: fc.constantFrom('off', { limit: 1.5 }, {}),
          error_rate: fc.record({ margin: fc.constantFrom('+2 points', '+0.5 points') }),
        },
        { requiredKeys: [] },
      ),
      falseRollback: fc.integer({ min: 1, max: 50 }).map((value) => `${value}%`),
      lease: seconds.filter((text) => Number.parseInt(text, 10) <= 604_800),
      defaults: fc.record(
        { minRequests: fc.integer({ min: 1, max: 1000 }), gate: fc.constantFrom('auto', 'manual') },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  it('is idempotent', () => {
    fc.assert(
      fc.property(written, (keys) => {
        const plan = planWith(keys);
        expect(freezePlan(throughJson(plan), context)).toEqual(plan);
        expect(planWith(keys)).toEqual(plan);
      }),
    );
  });

  it('gives weights that sum to 1 in each stage, family and mixture', () => {
    fc.assert(
      fc.property(written, (keys) => {
        const plan = planWith(keys);
        for (const { weights } of plan.stages)
          expect(Math.abs(weights.stable + weights.candidate - 1)).toBeLessThan(1e-12);
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
        for (const family of ['rollback', 'hold', 'flag']) {
          const members = plan.guardrails.filter(({ kind, action }) => kind !== 'sample-ratio' && action === family);
          expect(Math.abs(sum(members.map(({ weight }) => weight)) - 1)).toBeLessThan(1e-12);
        }
        const mixture = sum(plan.stages.map(({ mixtureShare }) => mixtureShare));
        expect(Math.abs(mixture - 1)).toBeLessThan(1e-9);
      }),
    );
  });

  it('answers any JSON with a plan or a SluiceError', () => {
    const fragments = fc.constantFrom('five-week', '5%', '7d', 'off', 'support', 'llama-32', 'canary', '__proto__');
    const leaf = fc.oneof(fc.jsonValue(), fragments, percent, seconds);
    const stage = fc.dictionary(
      fc.constantFrom('kind', 'share', 'for', 'bake', 'name', 'window', 'checks', 'maxFor', 'warmup', 'x'),
      leaf,
    );
    const plan = fc.dictionary(
      fc.constantFrom(
        'route',
        'candidate',
        'stages',
        'defaults',
        'overrides',
        'guardrails',
        'lease',
        'feedback',
        'notify',
        'version',
        'digest',
        '__proto__',
      ),
      fc.oneof(leaf, stage, fc.array(fc.oneof(stage, leaf)), fc.dictionary(fc.string(), stage)),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          plan,
          plan.map((keys) => ({ route: 'support', candidate: 'llama-32', ...keys })),
        ),
        (anything) => {
          expect(outcomeOf(anything)).toBe('plan or SluiceError');
        },
      ),
      { numRuns: 500 },
    );
  });
});
