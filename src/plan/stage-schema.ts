/** Stages as people write them. */
import { z } from 'zod';
import { NOT_AVAILABLE, STAGE_KINDS, STAGE_KINDS_TO_COME } from './availability.js';
import { stageName } from './ids.js';
import { duration, mapping, named, oneOf, share, wanted, wholeNumber } from './scalar-schema.js';
import { choices, suggestion } from './suggestion.js';
import { calendarWindow } from './window-schema.js';

const DAY_MS = 86_400_000;

/** What any stage may set; the same keys stand under `defaults` and `overrides`. */
const settings = {
  for: duration(
    'How long the stage takes, on its own clock: the clock stands still while the rollout is paused or held.',
    1000,
    400 * DAY_MS,
  ).optional(),
  minRequests: wholeNumber('Requests of the candidate that promotion needs at least.', 1, 1_000_000_000).optional(),
  maxFor: duration(
    'With onUndecided extend: when an undecided stage stops extending and holds.',
    1000,
    800 * DAY_MS,
  ).optional(),
  gate: oneOf('auto: evidence ends the stage. manual: a person has to promote as well.', ['auto', 'manual']).optional(),
  onUndecided: oneOf('What happens when the time is over and the evidence for promotion is not in.', [
    'advance',
    'extend',
    'hold',
  ]).optional(),
  interval: duration(
    'The grain of evidence; by default the ten-thousandth of the stage, from 1 s to 60 s.',
    100,
    3_600_000,
  ).optional(),
  warmup: duration(
    'Time after a change of the split that latency, tokens and cache leave out; by default the lesser of 300 s and a sixth of the stage.',
    0,
    DAY_MS,
  ).optional(),
  window: calendarWindow.optional(),
  checks: z
    .array(z.string({ error: wanted('the name of a check of sluice.yaml') }), {
      error: wanted('a list of names of checks'),
    })
    .max(20, { error: 'too many. Name at most 20 checks' })
    .describe('Checks of sluice.yaml that have to pass before the stage ends.')
    .optional(),
};

/** Keys that people try, with the way it is done here. */
const ELSEWHERE = {
  duration: 'unknown key. A stage\'s time is "for"',
  weight: 'unknown key. A stage\'s share of units is "share"',
  percent: 'unknown key. A stage\'s share of units is "share"',
  pause: 'unknown key. A person\'s approval is "gate: manual"',
} as const;

const name = named(
  'Name of the stage, when the one made of kind and share is taken or not liked.',
  'a name such as "canary-5"',
  stageName,
).optional();

const shadow = mapping(
  'a stage',
  {
    kind: z.literal('shadow').describe('Requests are mirrored to the candidate; users get the stable answer.'),
    name,
    share: share('Share of units whose requests are mirrored; 100% by default.', {}).optional(),
    ...settings,
  },
  ELSEWHERE,
);

const canary = mapping(
  'a stage',
  {
    kind: z.literal('canary').describe('A share of the units is served by the candidate.'),
    name,
    share: share('Share of units that the candidate serves.', {
      below: 1,
      full: 'the whole traffic. A stage that serves everyone from the candidate is { kind: flip }',
    }),
    ...settings,
  },
  ELSEWHERE,
);

const ab = mapping(
  'a stage',
  {
    kind: z
      .literal('ab')
      .describe(
        'Both variants side by side until the primary guardrail shows a difference, shows that there is none, or the time is over.',
      ),
    name,
    share: share('Share of units that the candidate serves; 50% by default.', {
      below: 1,
      full: 'the whole traffic, which leaves nothing to compare with. Write less, such as "50%"',
    }).optional(),
    ...settings,
  },
  ELSEWHERE,
);

const flip = mapping(
  'a stage',
  {
    kind: z.literal('flip').describe('The candidate serves everyone; a tenth is mirrored back to stable as control.'),
    name,
    bake: duration('The time of the flip under its usual name; write this or for.', 1000, 400 * DAY_MS).optional(),
    ...settings,
  },
  { ...ELSEWHERE, share: 'unknown key. A flip serves everyone from the candidate; leave the share out' },
);

/** One stage of a list. */
export const stage = z.discriminatedUnion('kind', [shadow, canary, ab, flip], {
  error: (issue) => {
    if (issue.code !== 'invalid_union') return wanted('a stage such as { kind: canary, share: 5%, for: 7d }')(issue);
    const kind =
      typeof issue.input === 'object' && issue.input !== null && 'kind' in issue.input ? issue.input.kind : undefined;
    if (kind === undefined) return `write ${choices(STAGE_KINDS)}`;
    const why = typeof kind === 'string' && STAGE_KINDS_TO_COME.includes(kind) ? NOT_AVAILABLE : 'no kind of stage';
    return `${why}. ${suggestion(why === NOT_AVAILABLE ? null : kind, STAGE_KINDS)}`;
  },
});

/** Settings without a stage: under `defaults`, and for one stage under `overrides`. */
export const stageSettings = mapping('settings of a stage, such as { for: 7d }', settings, ELSEWHERE);

export type WrittenStage = z.output<typeof stage>;
export type StageSettings = z.output<typeof stageSettings>;
