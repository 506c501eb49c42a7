import { describe, expect, it } from 'vitest';
import { planWith, problemsWith } from './context.js';

const DAY = 86_400_000;
const shadow = { kind: 'shadow', for: '1d' };
const canary = (share: string, keys: object = {}): object => ({ kind: 'canary', share, for: '1d', ...keys });
const flip = { kind: 'flip', for: '1d' };

function names(keys: object): readonly string[] {
  return planWith(keys).stages.map(({ name }) => name);
}

describe('names of stages', () => {
  it('come from kind and share', () => {
    expect(names({ stages: [shadow, canary('2.5%'), canary('5%'), flip] })).toEqual([
      'shadow',
      'canary-2.5',
      'canary-5',
      'flip',
    ]);
  });

  it('have to be given to a repeat', () => {
    expect(problemsWith({ stages: [canary('5%'), canary('5%')] })).toEqual([
      'stages[1].name is "canary-5": the name of stages[0] already. Give this stage a name of its own, such as name: canary-5-again',
    ]);
    expect(names({ stages: [canary('5%'), canary('5%', { name: 'canary-5-night' })] })).toEqual([
      'canary-5',
      'canary-5-night',
    ]);
  });
});

describe('presets', () => {
  it('canary goes through five steps', () => {
    const { stages, preset } = planWith({ stages: 'canary' });
    expect(preset).toBe('canary');
    expect(stages.map(({ name, onUndecided }) => [name, onUndecided])).toEqual([
      ['canary-5', 'advance'],
      ['canary-10', 'advance'],
      ['canary-25', 'advance'],
      ['canary-50', 'extend'],
      ['flip', 'advance'],
    ]);
  });

  it('shadow-only never serves from the candidate', () => {
    const { stages } = planWith({ stages: 'shadow-only' });
    expect(stages).toHaveLength(1);
    expect(stages[0]).toMatchObject({ name: 'shadow', weights: { stable: 1, candidate: 0 }, mixtureShare: 1 });
  });

  it.each(['blue-green'])('%s is to come', (stages) => {
    expect(problemsWith({ stages })).toEqual([
      `stages is "${stages}": not available in this version. Use one of "five-week", "canary", "ab", "shadow-only"`,
    ]);
  });

  it.each(['validate'])('so are stages of kind %s', (kind) => {
    expect(problemsWith({ stages: [{ kind }] })).toEqual([
      `stages[0].kind is "${kind}": not available in this version. Use one of "shadow", "canary", "ab", "flip"`,
    ]);
  });

  it('take defaults for all stages and overrides for one', () => {
    const { stages } = planWith({
      stages: 'five-week',
      defaults: { for: '14s', interval: '1s', warmup: '2s', maxFor: '60s' },
      overrides: { 'canary-50': { for: '20s', gate: 'manual' } },
    });
    expect(
      stages.map(({ durationMs, maxDurationMs, intervalMs, warmupMs, gate }) => [
        durationMs,
        maxDurationMs,
        intervalMs,
        warmupMs,
        gate,
      ]),
    ).toEqual([
      [14_000, 14_000, 1000, 2000, 'auto'],
      [14_000, 14_000, 1000, 2000, 'auto'],
      [14_000, 14_000, 1000, 2000, 'auto'],
      [20_000, 60_000, 1000, 2000, 'manual'],
      [14_000, 14_000, 1000, 2000, 'auto'],
    ]);
  });

  it('know their own stages', () => {
    expect(problemsWith({ overrides: { 'canary-6': { for: '1d' } } })).toEqual([
      'overrides.canary-6: no stage of five-week. Did you mean "canary-5"?',
    ]);
    expect(problemsWith({ stages: [flip], overrides: { flip: { for: '1d' } } })).toEqual([
      'overrides: only for presets. Write the settings at the stages of the list',
    ]);
  });
});

describe('defaults of a stage', () => {
  it.each([
    ['7d', 60_000, 300_000, DAY],
    ['1d', 8640, 300_000, DAY / 6],
    ['30m', 1000, 300_000, 300_000],
    ['6s', 1000, 1000, 1000],
  ])('for %s: interval %d, warm-up %d, feedback %d ms', (time, intervalMs, warmupMs, feedbackHorizonMs) => {
    expect(planWith({ stages: [{ kind: 'flip', for: time }] }).stages[0]).toMatchObject({
      intervalMs,
      warmupMs,
      feedbackHorizonMs,
    });
  });

  it('a stage goes before defaults, and the feedback of the plan before the sixth', () => {
    const plan = planWith({
      stages: [canary('5%', { interval: '5s', warmup: '0s' }), flip],
      defaults: { interval: '7s' },
      feedback: { horizon: '2s' },
    });
    expect(
      plan.stages.map(({ intervalMs, warmupMs, feedbackHorizonMs }) => [intervalMs, warmupMs, feedbackHorizonMs]),
    ).toEqual([
      [5000, 0, 2000],
      [7000, 300_000, 2000],
    ]);
  });

  it('only the last canary extends, to twice its time', () => {
    const { stages } = planWith({ stages: [canary('1%'), canary('10%'), flip] });
    expect(stages.map(({ onUndecided, maxDurationMs }) => [onUndecided, maxDurationMs / DAY])).toEqual([
      ['advance', 1],
      ['extend', 2],
      ['advance', 1],
    ]);
  });

  it.each([
    ['24.9%', 'early'],
    ['25%', 'middle'],
    ['49.9%', 'middle'],
    ['50%', 'late'],
  ])('a share of %s asks the questions of the step %s', (share, ladder) => {
    expect(planWith({ stages: [canary(share)] }).stages[0]?.ladder).toBe(ladder);
  });

  it('the bake is the time of the flip', () => {
    expect(planWith({ stages: [{ kind: 'flip', bake: '7d' }] }).stages[0]?.durationMs).toBe(7 * DAY);
    expect(problemsWith({ stages: [{ kind: 'flip', bake: '7d', for: '7d' }] })).toEqual([
      'stages[0].bake is "7d": the same as "for". Write one of the two',
    ]);
  });
});

describe('shares of the mixture', () => {
  it.each([
    [
      [shadow, canary('5%'), canary('25%'), canary('50%'), flip],
      [0.2, 0.7 / 3, 0.7 / 3, 0.7 / 3, 0.1],
    ],
    [
      [canary('5%'), canary('50%'), flip],
      [0.45, 0.45, 0.1],
    ],
    [
      [shadow, canary('5%'), canary('50%')],
      [0.2, 0.4, 0.4],
    ],
    [
      [shadow, flip],
      [0.55, 0.45],
    ],
    [
      [{ ...shadow, name: 'one' }, { ...shadow, name: 'two' }, canary('5%')],
      [0.1, 0.1, 0.8],
    ],
    [[flip], [1]],
  ])('%#', (stages, shares) => {
    const frozen = planWith({ stages }).stages.map(({ mixtureShare }) => mixtureShare);
    expect(frozen).toHaveLength(shares.length);
    for (const [index, share] of frozen.entries()) expect(share).toBeCloseTo(shares[index] ?? Number.NaN, 10);
  });
});

describe('windows', () => {
  it.each([
    [
      { days: 'Mon-Fri', hours: '09:00-17:00', timeZone: 'Europe/Berlin' },
      { days: [1, 2, 3, 4, 5], fromMinute: 540, toMinute: 1020 },
    ],
    [
      { days: ['Sat', 'Mon'], hours: '22:00-06:00', timeZone: 'UTC' },
      { days: [1, 6], fromMinute: 1320, toMinute: 360 },
    ],
    [
      { days: 'Fri-Mon', hours: '00:00-24:00', timeZone: 'UTC' },
      { days: [1, 5, 6, 7], fromMinute: 0, toMinute: 1440 },
    ],
    [
      { hours: '9:00-12:30', timeZone: 'UTC' },
      { days: [1, 2, 3, 4, 5, 6, 7], fromMinute: 540, toMinute: 750 },
    ],
  ])('%j', (window, expected) => {
    expect(planWith({ defaults: { window } }).stages[0]?.window).toMatchObject({
      kind: 'weekly',
      timeZone: window.timeZone,
      ...expected,
    });
  });

  it('take recurrence rules', () => {
    const window = { rrule: 'FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9', for: '4h', timeZone: 'Europe/Berlin' };
    expect(planWith({ defaults: { window } }).stages[0]?.window).toEqual({
      kind: 'rrule',
      rule: window.rrule,
      durationMs: 14_400_000,
      timeZone: 'Europe/Berlin',
    });
  });

  it.each([
    [
      { days: 'Funday', hours: '09:00-17:00', timeZone: 'UTC' },
      'days is "Funday": not days of the week. Write "Mon-Fri" or a list of Mon, Tue, Wed, Thu, Fri, Sat, Sun',
    ],
    [
      { hours: '9-17', timeZone: 'UTC' },
      'hours is "9-17": not a range of hours. Write "09:00-17:00"; "22:00-06:00" goes on into the next day',
    ],
    [
      { hours: '25:00-26:00', timeZone: 'UTC' },
      'hours is "25:00-26:00": not a range of hours. Write "09:00-17:00"; "22:00-06:00" goes on into the next day',
    ],
    [
      { hours: '09:00-17:00', timeZone: 'Mars/Olympus' },
      'timeZone is "Mars/Olympus": no time zone known here. Write one of the IANA database, such as "Europe/Berlin" or "UTC"',
    ],
    [
      { rrule: 'FREQ=SOMETIMES', for: '1h', timeZone: 'UTC' },
      'rrule is "FREQ=SOMETIMES": not a recurrence rule of hours or longer. Write the rule of RFC 5545 alone, such as "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9"',
    ],
    [
      { rrule: 'FREQ=SECONDLY', for: '1h', timeZone: 'UTC' },
      'rrule is "FREQ=SECONDLY": not a recurrence rule of hours or longer. Write the rule of RFC 5545 alone, such as "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9"',
    ],
  ])('%j is refused', (window, problem) => {
    expect(problemsWith({ defaults: { window } })).toEqual([`defaults.window.${problem}`]);
  });
});

describe('stages that do not fit together', () => {
  it.each<[string, readonly object[], string]>([
    ['no time', [{ kind: 'canary', share: '5%' }], 'stages[0].for is missing: write a duration such as "7d" or "90s"'],
    [
      'the whole traffic',
      [canary('100%')],
      'stages[0].share is "100%": the whole traffic. A stage that serves everyone from the candidate is { kind: flip }',
    ],
    ['no traffic', [canary('0%')], 'stages[0].share is "0%": no share at all. Write more than 0%'],
    ['no share', [{ kind: 'canary', for: '1d' }], 'stages[0].share is missing: write a share such as "5%"'],
    [
      'a share of a flip',
      [{ ...flip, share: '100%' }],
      'stages[0].share: unknown key. A flip serves everyone from the candidate; leave the share out',
    ],
    [
      'a falling share',
      [canary('25%'), canary('5%')],
      'stages[1].share is "5%": less than the 25% of an earlier stage. Put the stages in the order of a growing share',
    ],
    [
      'a shadow after a canary',
      [canary('5%'), shadow],
      'stages[1].kind is "shadow": less than the 5% of an earlier stage. Put the stages in the order of a growing share',
    ],
    [
      'two flips',
      [flip, { ...flip, name: 'again' }],
      'stages[1].kind is "flip": a second flip. A plan has one, as its last stage',
    ],
    [
      'a long warm-up',
      [canary('5%', { for: '10s', warmup: '10s' })],
      'stages[0].warmup is "10s": as long as the stage canary-5 or longer. Write less than "10s"',
    ],
    [
      'a long interval',
      [canary('5%', { for: '10s', interval: '11s' })],
      'stages[0].interval is "11s": longer than the stage canary-5. Write at most "10s"',
    ],
    [
      'a short maxFor',
      [canary('5%', { maxFor: '1h' })],
      'stages[0].maxFor is "1h": shorter than the stage canary-5 itself. Write at least "1d"',
    ],
    [
      'an idle maxFor',
      [{ ...flip, maxFor: '9d' }],
      'stages[0].maxFor is "9d": without meaning, since flip has onUndecided advance. Leave it out, or write onUndecided: extend',
    ],
  ])('%s', (_, stages, problem) => {
    expect(problemsWith({ stages })).toEqual([problem]);
  });
});
