/** Guardrails as people write them: switched off, or with some of their numbers replaced. */
import { z } from 'zod';
import { mapping, number, oneOf, points, share } from './scalar-schema.js';

const off = z.literal(['off', false]).transform(() => 'off' as const);

const ladder = mapping('ratios by step, such as { early: 2, middle: 1.5, late: 1.25 }', {
  early: number('Shares below 25%, shadow included.', 1, 10).optional(),
  middle: number('Shares from 25% to below 50%.', 1, 10).optional(),
  late: number('Shares from 50% on, flip included.', 1, 10).optional(),
});

const promote = z
  .union([off, ladder], { error: 'not off, or ratios such as { early: 2, middle: 1.5, late: 1.25 }' })
  .describe('Ratios that the candidate has to stay below for promotion, by the size of the step; off: no promote gate.')
  .optional();

const weight = number(
  'Weight within its family; the weights of a family are scaled to sum 1.',
  0.000_001,
  1000,
).optional();

const action = oneOf('What a breach does: rollback, hold (a person investigates) or flag (shown, notified, goes on).', [
  'rollback',
  'hold',
  'flag',
]).optional();

const margin = points(
  'Absolute margin of promotion over the rate of stable; the larger of it and the ratio counts.',
).optional();

/** Switched off, or settings. */
function guardrail<Settings extends z.ZodType>(settings: Settings, example: string) {
  return z.union([off, settings], { error: `not off, or a mapping such as ${example}` });
}

/** A bad event that should not become more frequent. */
const rate = guardrail(
  mapping('a guardrail', {
    limit: number(
      'How many times worse the candidate may be than stable before it breaches: odds of the bad event, for cache_hit_rate its rate.',
      1,
      10,
    ).optional(),
    margin,
    weight,
    action,
    promote,
  }),
  '{ limit: 1.2 }',
);

const NEVER_GATES = 'Nothing gates on a change that counts both ways; leave it out';

/** An event of which more and less are both a reason to look. */
const twoSided = guardrail(
  mapping(
    'a guardrail',
    {
      limit: number(
        'Odds ratio of the event, candidate against stable or stable against candidate, beyond which it breaches.',
        1,
        10,
      ).optional(),
      weight,
      action,
    },
    { promote: `unknown key. ${NEVER_GATES}`, margin: `unknown key. ${NEVER_GATES}` },
  ),
  '{ limit: 1.2 }',
);

const ratioOfValues = number(
  'Ratio of the quantiles, candidate to stable, beyond which the candidate breaches.',
  1.01,
  10,
).optional();

/** A quantile of a duration. */
const quantile = guardrail(
  mapping(
    'a guardrail',
    { limit: ratioOfValues, weight, action, promote },
    { margin: 'unknown key. A latency has no margin in points; set ratios under "promote"' },
  ),
  '{ limit: 1.2 }',
);

/** Several quantiles of a length. */
const cuts = guardrail(
  mapping(
    'a guardrail',
    { limit: ratioOfValues, weight, action },
    { promote: 'unknown key. It never gates; leave it out', margin: 'unknown key. It never gates; leave it out' },
  ),
  '{ limit: 1.2 }',
);

/** Assignments against the split. */
const sampleRatio = guardrail(
  mapping(
    'a guardrail',
    {
      falseAlarm: share('Chance of an alarm although requests are assigned as the split says.', {
        upTo: 0.5,
      }).optional(),
      action: oneOf('What an alarm does: hold (a person investigates) or flag (shown, notified, goes on).', [
        'hold',
        'flag',
      ]).optional(),
    },
    {
      weight: 'unknown key. It alarms by itself and shares no budget; set "falseAlarm"',
      limit: 'unknown key. The split itself is the limit; set "falseAlarm"',
    },
  ),
  '{ falseAlarm: 0.1% }',
);

/** Schemas of the guardrails of this version, by name. */
export const guardrailShape = {
  error_rate: rate.describe('Requests without a 2xx and a complete answer.').optional(),
  latency_p50: quantile.describe('Median time from dispatch to the last byte.').optional(),
  latency_p95: quantile.describe('95th percentile of the time from dispatch to the last byte.').optional(),
  ttft_p50: quantile.describe('Median time from dispatch to the first token, streams only.').optional(),
  ttft_p95: quantile.describe('95th percentile of the time to the first token, streams only.').optional(),
  cache_hit_rate: rate
    .describe(
      'Requests whose prompt was mostly not cached, though their unit had been here; from 25% of traffic on. Gates only where "promote" is written.',
    )
    .optional(),
  feedback: rate
    .describe('Bad ratings, filed under the request that earned them. Gates only where "promote" is written.')
    .optional(),
  refusal_rate: twoSided.describe('Answers that refuse, more or fewer of them.').optional(),
  abort_rate: twoSided.describe('Requests that their client ended, more or fewer of them.').optional(),
  response_rate: twoSided.describe('Requests that somebody rated, more or fewer of them.').optional(),
  tokens_per_response: cuts.describe('Tokens of an answer, at four quantiles.').optional(),
  sample_ratio: sampleRatio.describe('Units on the variants against the split.').optional(),
};

export type WrittenRate = Exclude<z.output<typeof rate>, 'off'>;
export type WrittenTwoSided = Exclude<z.output<typeof twoSided>, 'off'>;
export type WrittenQuantile = Exclude<z.output<typeof quantile>, 'off'>;
export type WrittenCuts = Exclude<z.output<typeof cuts>, 'off'>;
export type WrittenSampleRatio = Exclude<z.output<typeof sampleRatio>, 'off'>;
