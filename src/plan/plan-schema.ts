/** The plan as people write it. */
import { z } from 'zod';
import { GUARDRAILS_TO_COME, NOT_AVAILABLE, PRESETS_TO_COME } from './availability.js';
import { guardrailShape } from './guardrail-schema.js';
import { routeName, upstreamName } from './ids.js';
import { PRESET_NAMES } from './presets.js';
import { duration, mapping, named, oneOf, share, wanted } from './scalar-schema.js';
import { stage, stageSettings } from './stage-schema.js';
import { suggestion } from './suggestion.js';

const ATTEMPTS = 0.5;

const stages = z
  .union(
    [
      z.enum(PRESET_NAMES),
      z
        .array(stage)
        .min(1, { error: 'empty. Write at least one stage' })
        .max(40, { error: 'too long. Write at most 40 stages' }),
    ],
    {
      error: ({ input }) => {
        if (typeof input === 'string' && PRESETS_TO_COME.includes(input))
          return `${NOT_AVAILABLE}. ${suggestion(null, PRESET_NAMES)}`;
        if (typeof input === 'string') return `no preset. ${suggestion(input, PRESET_NAMES)}`;
        return `neither a preset nor a list of stages. Write "five-week", or a list such as [{ kind: canary, share: 5%, for: 7d }]`;
      },
    },
  )
  .describe('The stages in order, or the name of a preset. five-week by default.');

/** Schema of a plan file. */
export const writtenPlan = mapping(
  'a plan, such as { route: support, candidate: llama-32, stages: five-week }',
  {
    route: named(
      'Route of sluice.yaml to roll out on: the model name that clients send.',
      'the name of a route of sluice.yaml',
      routeName,
    ),
    candidate: named(
      'Upstream of sluice.yaml that is to become the stable one.',
      'the name of an upstream of sluice.yaml',
      upstreamName,
    ),
    stages: stages.optional(),
    defaults: stageSettings.describe('Settings of every stage that does not set its own.').optional(),
    overrides: z
      .record(z.string(), stageSettings, { error: wanted('a mapping from names of stages to settings') })
      .describe('Settings of single stages of a preset, by the name of the stage.')
      .optional(),
    guardrails: mapping('a mapping from guardrails to settings', guardrailShape, toCome(GUARDRAILS_TO_COME))
      .describe('What is measured, and what a breach does.')
      .optional(),
    falseRollback: share(
      'Chance that a candidate no worse than the limits is rolled back, over all guardrails, stages and looks.',
      { upTo: ATTEMPTS },
    ).optional(),
    falseHold: share('The same for the guardrails that hold.', { upTo: ATTEMPTS }).optional(),
    falseFlag: share('The same for the guardrails that flag.', { upTo: ATTEMPTS }).optional(),
    falsePromote: share('Chance that a stage promotes a candidate that is worse than its margin.', {
      upTo: ATTEMPTS,
    }).optional(),
    primary: z
      .string({ error: wanted('the name of a guardrail such as "latency_p95"') })
      .describe('Guardrail of the plan on which an ab stage calls a winner; error_rate by default.')
      .optional(),
    winner: oneOf(
      'What follows from a winner of an ab stage. recommend: hold, and a person promotes or rolls back. act: a better candidate passes the stage, a better stable rolls back.',
      ['recommend', 'act'],
    ).optional(),
    requestTimeout: duration('When a request that has not ended counts as an error.', 100, 3_600_000).optional(),
    lease: duration('How long a router keeps a split that nobody renews.', 1000, 7 * 86_400_000).optional(),
    onLeaseExpiry: oneOf('What a router does then: serve stable, or keep the split.', ['stable', 'keep']).optional(),
    feedback: mapping('settings of feedback, such as { horizon: 24h }', {
      horizon: duration(
        'How long after its request a rating is tested; by default the lesser of 24h and a sixth of the stage.',
        1000,
        30 * 86_400_000,
      ).optional(),
    })
      .describe('Ratings of users.')
      .optional(),
    notify: z
      .union(
        [
          z.string().transform((only) => [only]),
          z.array(z.string({ error: wanted('the name of a webhook of sluice.yaml') })),
        ],
        {
          error: 'not the name of a webhook of sluice.yaml, or a list of them',
        },
      )
      .describe('Webhooks of sluice.yaml that hear of each step.')
      .optional(),
  },
  {
    preset: 'unknown key. A preset goes to "stages", such as stages: five-week',
    stable: "unknown key. The stable upstream is the route's own in sluice.yaml; leave it out",
    timeout: 'unknown key. Did you mean "requestTimeout"?',
  },
);

function toCome(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${NOT_AVAILABLE}. Leave it out`]));
}

export type WrittenPlan = z.output<typeof writtenPlan>;
