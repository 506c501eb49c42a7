/** Guardrails as people write them: switched off, or with some of their numbers replaced. */
import { z } from 'zod';
import { mapping, number, oneOf, points } from './scalar-schema.js';

const offOrNumbers = 'off, or a mapping such as { limit: 1.2 }';

const off = z.literal(['off', false]).transform(() => 'off' as const);

const ladder = mapping('ratios by step, such as { early: 2, middle: 1.5, late: 1.25 }', {
  early: number('Shares below 25%, shadow included.', 1, 10).optional(),
  middle: number('Shares from 25% to below 50%.', 1, 10).optional(),
  late: number('Shares from 50% on, flip included.', 1, 10).optional(),
});

const common = {
  weight: number('Weight within its family; the weights of a family are scaled to sum 1.', 0.000_001, 1000).optional(),
  action: oneOf('What a breach does: rollback, hold (a person investigates) or flag (shown, notified, goes on).', [
    'rollback',
    'hold',
    'flag',
  ]).optional(),
  promote: z
    .union([off, ladder], { error: 'not off, or ratios such as { early: 2, middle: 1.5, late: 1.25 }' })
    .describe(
      'Ratios that the candidate has to stay below for promotion, by the size of the step; off: no promote gate.',
    )
    .optional(),
};

/** A rate of bad events. */
const rate = z.union(
  [
    off,
    mapping('a guardrail', {
      limit: number(
        'Odds ratio of the bad event, candidate against stable, beyond which the candidate breaches.',
        1,
        10,
      ).optional(),
      margin: points(
        'Absolute margin of promotion over the rate of stable; the larger of it and the ratio counts.',
      ).optional(),
      ...common,
    }),
  ],
  { error: `not ${offOrNumbers}` },
);

/** A quantile of a duration. */
const quantile = z.union(
  [
    off,
    mapping(
      'a guardrail',
      {
        limit: number(
          'Ratio of the quantiles, candidate to stable, beyond which the candidate breaches.',
          1.01,
          10,
        ).optional(),
        ...common,
      },
      { margin: 'unknown key. A latency has no margin in points; set ratios under "promote"' },
    ),
  ],
  { error: `not ${offOrNumbers}` },
);

/** Schemas of the guardrails of this version, by name. */
export const guardrailShape = {
  error_rate: rate.describe('Requests without a 2xx and a complete answer.').optional(),
  latency_p50: quantile.describe('Median time from dispatch to the last byte.').optional(),
  latency_p95: quantile.describe('95th percentile of the time from dispatch to the last byte.').optional(),
};

export type WrittenRate = Exclude<z.output<typeof rate>, 'off'>;
export type WrittenQuantile = Exclude<z.output<typeof quantile>, 'off'>;
