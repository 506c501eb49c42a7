/** Schemas of the small values that both files are made of, and what they say when the value is another. */
import { z } from 'zod';
import { parseDuration, withoutUnit, DURATION_PATTERN, formatDuration } from './duration.js';
import { parseShare, withoutPercent, SHARE_PATTERN, formatShare } from './share.js';
import type { Parsed } from './problem.js';
import { choices, suggestion } from './suggestion.js';

interface RawIssue {
  readonly code?: string | undefined;
  readonly input?: unknown;
}

/** Error function for a value of another type: missing values and foreign ones get the same example. */
export function wanted(what: string): (issue: RawIssue) => string {
  return (issue) => (issue.input === undefined ? `write ${what}` : `not ${what}`);
}

/** A text read by `parse`; numbers get the answer of `bare`, since a unit was forgotten. */
function text<Value>(what: string, parse: (written: string) => Parsed<Value>, bare?: (value: number) => string) {
  return z
    .string({
      error: (issue) =>
        typeof issue.input === 'number' && bare !== undefined ? bare(issue.input) : wanted(what)(issue),
    })
    .transform((written, context) => {
      const parsed = parse(written);
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: 'custom', message: parsed.why, input: written });
      return z.NEVER;
    });
}

/** `7d`, `12h`, `90s`: milliseconds between the limits, ms. */
export function duration(description: string, minimumMs: number, maximumMs: number) {
  return text(
    'a duration such as "7d" or "90s"',
    (written) => {
      const parsed = parseDuration(written);
      if (!parsed.ok) return parsed;
      if (parsed.value < minimumMs)
        return { ok: false, why: `too short. Write at least "${formatDuration(minimumMs)}"` };
      if (parsed.value > maximumMs) return { ok: false, why: `too long. Write at most "${formatDuration(maximumMs)}"` };
      return parsed;
    },
    (value) => withoutUnit(String(value)),
  ).meta({ description, pattern: DURATION_PATTERN });
}

/** `5%`: a fraction above `minimum` and up to `maximum`. */
export function share(description: string, options: { above?: number; below?: number; upTo?: number; full?: string }) {
  const { above = 0, below = Number.POSITIVE_INFINITY, upTo = 1, full } = options;
  return text(
    'a share such as "5%"',
    (written) => {
      const parsed = parseShare(written);
      if (!parsed.ok) return parsed;
      if (parsed.value <= above)
        return {
          ok: false,
          why:
            above === 0 ? 'no share at all. Write more than 0%' : `too little. Write more than ${formatShare(above)}`,
        };
      if (parsed.value >= below) return { ok: false, why: full ?? `too much. Write less than ${formatShare(below)}` };
      if (parsed.value > upTo) return { ok: false, why: `too much. Write at most ${formatShare(upTo)}` };
      return parsed;
    },
    withoutPercent,
  ).meta({ description, pattern: SHARE_PATTERN });
}

/** `+2 points`: an absolute difference of rates, as a fraction. */
export function points(description: string) {
  const example = '"+0.5 points"';
  return text(
    `a difference in points such as ${example}`,
    (written) => {
      const match = /^\+? ?(\d{1,3}(?:\.\d{1,4})?) ?(?:points?|pp)$/.exec(written.trim());
      const value = Number(match?.[1]);
      if (match === null)
        return { ok: false, why: `not a difference in percentage points. Write it such as ${example}` };
      if (value <= 0 || value > 50)
        return { ok: false, why: `out of range. Write a difference up to "+50 points", such as ${example}` };
      return { ok: true, value: Number((value / 100).toFixed(8)) };
    },
    (value) => `a margin needs the word points. Write "+${value} points" for ${value} percentage points`,
  ).meta({ description, pattern: '^\\+? ?\\d+(\\.\\d+)? ?points?$' });
}

/** A name made by one of the parsers of `ids.ts`. */
export function named<Name>(description: string, what: string, parse: (value: string) => Name) {
  return text(what, (written): Parsed<Name> => {
    try {
      return { ok: true, value: parse(written) };
    } catch {
      return {
        ok: false,
        why: 'not a name. Use 1 to 120 letters, digits and . _ : / - , starting with a letter or digit',
      };
    }
  }).meta({ description, minLength: 1, maxLength: 120 });
}

/** The name of an environment variable; a value that looks like the secret itself is refused. */
export function variable(description: string) {
  return z
    .string({ error: wanted('the name of an environment variable') })
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error:
        'not the name of an environment variable. Put the secret into the environment and write the name of its variable here',
    })
    .meta({ description });
}

/** One of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(description: string, words: Words) {
  return z
    .enum(words, {
      error: (issue) =>
        issue.input === undefined ? `write ${choices(words)}` : `unknown. ${suggestion(issue.input, words)}`,
    })
    .describe(description);
}

/** A number between limits, both allowed. */
export function number(description: string, minimum: number, maximum: number) {
  const range = `a number from ${minimum} to ${maximum}`;
  return z
    .number({ error: wanted(range) })
    .min(minimum, { error: `not ${range}` })
    .max(maximum, { error: `not ${range}` })
    .describe(description);
}

/** A whole number between limits, both allowed. */
export function wholeNumber(description: string, minimum: number, maximum: number) {
  const range = `a whole number from ${minimum} to ${maximum}`;
  return z
    .int({ error: wanted(range) })
    .min(minimum, { error: `not ${range}` })
    .max(maximum, { error: `not ${range}` })
    .describe(description);
}

/**
 * A mapping with these keys and no others. An unknown key is answered from `foreign` (a key that people try, with the
 * answer), else with the nearest known one. The answers stand one a line, in the order of the issue's keys.
 */
export function mapping<Shape extends z.core.$ZodLooseShape>(
  what: string,
  shape: Shape,
  foreign: Readonly<Record<string, string>> = {},
) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return wanted(what)(issue);
      return issue.keys
        .map((key) => (Object.hasOwn(foreign, key) ? foreign[key] : `unknown key. ${suggestion(key, known)}`))
        .join('\n');
    },
  });
}
