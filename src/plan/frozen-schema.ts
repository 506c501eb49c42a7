/** The frozen plan as it comes back from outside: checked again before anything is done with it. */
import { z } from 'zod';
import { routeName, stageName, upstreamName } from './ids.js';
import { MAX_LOOKS } from './looks.js';
import { isRule, isTimeZone } from './window-schema.js';
import { mapping, named, number, oneOf, wholeNumber } from './scalar-schema.js';
import type { GuardrailName } from './types.js';

const LONGEST_MS = 1000 * 86_400_000;

const ms = (description: string, minimum = 1) => wholeNumber(description, minimum, LONGEST_MS);
const fraction = (description: string) => number(description, 0, 1);
const variant = oneOf('Role of an upstream.', ['stable', 'candidate']);
const action = oneOf('What a breach does.', ['rollback', 'hold', 'flag']);

const timeZone = z.string().refine(isTimeZone, { error: 'no time zone known here' });

const window = z.discriminatedUnion('kind', [
  mapping('a window', {
    kind: z.literal('weekly'),
    days: z.array(wholeNumber('ISO number of a day.', 1, 7)).min(1),
    fromMinute: wholeNumber('Minute of the day.', 0, 1440),
    toMinute: wholeNumber('Minute of the day.', 0, 1440),
    timeZone,
  }),
  mapping('a window', {
    kind: z.literal('rrule'),
    rule: z.string().refine(isRule, { error: 'not a recurrence rule' }),
    durationMs: ms('How long it is open.'),
    timeZone,
  }),
]);

const stage = mapping('a frozen stage', {
  name: named('Name.', 'the name of a stage', stageName),
  kind: oneOf('Kind.', ['validate', 'shadow', 'canary', 'ab', 'flip']),
  weights: mapping('weights', { stable: fraction('Share.'), candidate: fraction('Share.') }).refine(
    ({ stable, candidate }) => Math.abs(stable + candidate - 1) < 1e-9,
    { error: 'weights that do not sum to 1' },
  ),
  mirror: mapping('a mirror', { variant, share: fraction('Share.') }),
  durationMs: ms('Time of the stage.'),
  maxDurationMs: ms('Longest time of the stage.'),
  minRequests: wholeNumber('Requests.', 1, 1_000_000_000),
  gate: oneOf('Gate.', ['auto', 'manual']),
  onUndecided: oneOf('At the end.', ['advance', 'extend', 'hold']),
  lookTimesMs: z
    .array(ms('Time of a look.'))
    .max(MAX_LOOKS, { error: `more than ${MAX_LOOKS} looks` })
    .refine((times) => times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)), {
      error: 'looks that do not ascend',
    }),
  intervalMs: ms('Grain of evidence.'),
  warmupMs: ms('Warm-up.', 0),
  feedbackHorizonMs: ms('Horizon of feedback.', 0),
  window: window.nullable(),
  checks: z.array(z.string().min(1)),
  mixtureShare: fraction('Share of the mixture.'),
  ladder: oneOf('Step.', ['early', 'middle', 'late']),
}).refine(({ durationMs, maxDurationMs }) => maxDurationMs >= durationMs, {
  error: "a longest time below the stage's own",
});

const base = { action, weight: z.number().positive().max(1) };
const steps = <Value extends z.ZodType>(value: Value) => mapping('steps', { early: value, middle: value, late: value });
const histogram = mapping('a histogram', { gamma: z.number().gt(1).max(10), xMin: z.number().positive() });
const shift = wholeNumber('Buckets.', 1, 100_000);
const ratio = number('Ratio.', 1, 10);
const positive = z.number().positive().max(100);

const GUARDRAIL_NAMES = [
  'error_rate',
  'latency_p50',
  'latency_p95',
  'ttft_p50',
  'ttft_p95',
  'cache_hit_rate',
  'feedback',
  'refusal_rate',
  'divergence',
  'judge',
  'abort_rate',
  'response_rate',
  'tokens_per_response',
  'sample_ratio',
] as const satisfies readonly GuardrailName[];

const guardrail = z.discriminatedUnion('kind', [
  mapping('a rate', {
    kind: z.literal('rate'),
    name: oneOf('Name.', [
      'error_rate',
      'cache_hit_rate',
      'refusal_rate',
      'divergence',
      'judge',
      'abort_rate',
      'response_rate',
    ]),
    ...base,
    limit: ratio,
    twoSided: z.boolean(),
    typicalEffect: positive,
    promote: mapping('margins', { ratios: steps(ratio), absolute: fraction('Margin.') }).nullable(),
  }),
  mapping('a quantile', {
    kind: z.literal('quantile'),
    name: oneOf('Name.', ['latency_p50', 'latency_p95', 'ttft_p50', 'ttft_p95']),
    ...base,
    signal: oneOf('Signal.', ['latency', 'ttft']),
    quantile: number('Quantile.', 0.01, 0.999),
    limit: ratio,
    histogram,
    limitShift: shift,
    typicalEffect: positive,
    promote: mapping('margins', { shifts: steps(shift) }).nullable(),
  }),
  mapping('cuts', {
    kind: z.literal('cuts'),
    name: oneOf('Name.', ['tokens_per_response']),
    ...base,
    signal: z.literal('tokens'),
    quantiles: z.array(number('Quantile.', 0.01, 0.999)).min(1),
    limit: ratio,
    histogram,
    limitShift: shift,
    typicalEffect: positive,
  }),
  mapping('feedback', {
    kind: z.literal('feedback'),
    name: oneOf('Name.', ['feedback']),
    ...base,
    limit: ratio,
    typicalEffect: positive,
    promote: mapping('margins', { ratios: steps(ratio), absolute: fraction('Margin.') }).nullable(),
  }),
  mapping('a sample ratio', {
    kind: z.literal('sample-ratio'),
    name: oneOf('Name.', ['sample_ratio']),
    ...base,
    alpha: number('Alpha.', 1e-9, 0.5),
  }),
]);

/** Schema of `Plan`. */
export const frozenPlan = mapping('a frozen plan', {
  version: z.literal(1, { error: 'another version of the frozen plan. Freeze the plan with this version of sluice' }),
  route: named('Route.', 'the name of a route', routeName),
  stable: named('Stable upstream.', 'the name of an upstream', upstreamName),
  candidate: named('Candidate upstream.', 'the name of an upstream', upstreamName),
  preset: z.string().nullable(),
  stages: z
    .array(stage)
    .min(1)
    .max(40)
    .refine((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, {
      error: 'stages with a name twice',
    }),
  guardrails: z
    .array(guardrail)
    .min(1)
    .refine((guardrails) => new Set(guardrails.map(({ name }) => name)).size === guardrails.length, {
      error: 'guardrails with a name twice',
    })
    .refine(weightsSumToOne, { error: 'weights of a family that do not sum to 1' }),
  falseRollback: z.number().positive().max(0.5),
  falseHold: z.number().positive().max(0.5),
  falseFlag: z.number().positive().max(0.5),
  falsePromote: z.number().positive().max(0.5),
  requestTimeoutMs: ms('Time-out of a request.'),
  lease: mapping('a lease', { seconds: z.number().positive(), onExpiry: oneOf('At the end.', ['stable', 'keep']) }),
  ab: mapping('an A/B setting', {
    primary: oneOf('Guardrail on which a winner is called.', GUARDRAIL_NAMES),
    winner: oneOf('What follows from a winner.', ['recommend', 'act']),
  }).nullable(),
  notify: z.array(z.string().min(1)),
  digest: z.string().regex(/^[0-9a-f]{64}$/, { error: 'not a digest' }),
})
  .refine(({ ab, stages }) => (ab !== null) === stages.some(({ kind }) => kind === 'ab'), {
    path: ['ab'],
    error: 'it says how ab stages end, and has to be there exactly when there is one',
  })
  .refine(({ ab, guardrails }) => ab === null || guardrails.some(({ name }) => name === ab.primary), {
    path: ['ab', 'primary'],
    error: 'no guardrail of the plan',
  });

function weightsSumToOne(
  guardrails: readonly {
    readonly kind: string;
    readonly action: 'rollback' | 'hold' | 'flag';
    readonly weight: number;
  }[],
): boolean {
  const sums = { rollback: 0, hold: 0, flag: 0 };
  // The sample ratio alarms on its own and shares no budget.
  for (const { kind, action: family, weight } of guardrails) if (kind !== 'sample-ratio') sums[family] += weight;
  return Object.values(sums).every((sum) => sum === 0 || Math.abs(sum - 1) < 1e-9);
}
