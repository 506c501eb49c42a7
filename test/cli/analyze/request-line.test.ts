import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, parseRequestLine } from '../../../src/cli/analyze/request-line.js';
import type { LineRules } from '../../../src/cli/analyze/request-line.js';
import { RequestScanner } from '../../../src/cli/analyze/scan-request-line.js';

const RULES: LineRules = { stages: ['shadow', 'canary-5', 'canary-50'], needsLatency: true };

const WHOLE = {
  at: '2026-11-24T09:00:00.000Z',
  stage: 'canary-5',
  variant: 'candidate',
  unit: 'u-17',
  latencyMs: 812,
  ttftMs: 140,
  promptTokens: 512,
  cachedTokens: 384,
  completionTokens: 97,
  error: null,
  refused: false,
  thumb: 'up',
  score: null,
};

function scan(text: string) {
  // Something before and behind it: a scanner that leaves its line would read that.
  const bytes = Buffer.from(`"at":1,${text},"error":null}`);
  return new RequestScanner(RULES).scan(bytes, 7, 7 + Buffer.byteLength(text));
}

describe('parseRequestLine', () => {
  it('reads a line of the documented shape', () => {
    expect(parseRequestLine(JSON.stringify(WHOLE), 1, RULES)).toEqual({
      at: Date.parse(WHOLE.at),
      stageIndex: 1,
      variant: 'candidate',
      unit: 'u-17',
      latencyMs: 812,
      ttftMs: 140,
      promptTokens: 512,
      cachedTokens: 384,
      completionTokens: 97,
      error: null,
      refused: false,
      thumb: 'up',
      score: null,
    });
  });

  it('takes what is absent as not measured, and leaves keys that it does not know alone', () => {
    const { at, stage, variant, error } = WHOLE;
    const text = JSON.stringify({ at, stage, variant, error, latencyMs: 1, region: { name: 'eu' } });
    const nothing = { unit: null, ttftMs: null, promptTokens: null, cachedTokens: null, completionTokens: null };
    expect(parseRequestLine(text, 1, RULES)).toMatchObject({ ...nothing, refused: null, thumb: null, score: null });
  });

  it.each([
    [{ at: undefined }, 'at is missing'],
    [{ stage: undefined }, 'stage is missing'],
    [{ variant: undefined }, 'variant is missing'],
    [{ error: undefined }, 'error is missing'],
    [{ latencyMs: undefined }, 'latencyMs is missing'],
    [{ latencyMs: null }, 'latencyMs is null, not a number of ms'],
    [{ at: 'yesterday' }, 'at is "yesterday", not a time; write it as 2026-11-24T09:00:00.000Z'],
    [{ at: 1_795_000_000_000 }, 'at is 1795000000000, not a time; write it as 2026-11-24T09:00:00.000Z'],
    [{ stage: 'canary-7' }, 'stage is "canary-7", not one of shadow, canary-5, canary-50'],
    [{ variant: 'control' }, 'variant is "control", not one of stable, candidate'],
    [
      { error: 'http-500' },
      'error is "http-500", not one of model, refused, timeout, rate-limit, connect, broken, aborted',
    ],
    [{ latencyMs: -1 }, 'latencyMs is -1, negative'],
    [{ latencyMs: '12' }, 'latencyMs is "12", not a number'],
    [{ ttftMs: -0.5 }, 'ttftMs is -0.5, negative'],
    [{ promptTokens: 1.5 }, 'promptTokens is 1.5, not a whole number'],
    [{ cachedTokens: -3 }, 'cachedTokens is -3, negative'],
    [{ completionTokens: true }, 'completionTokens is true, not a number'],
    [{ unit: 7 }, 'unit is 7, not a text'],
    [{ refused: 'no' }, 'refused is "no", neither true nor false'],
    [{ thumb: 'sideways' }, 'thumb is "sideways", neither "up" nor "down"'],
    [{ score: 6 }, 'score is 6, not a score from 1 to 5'],
  ])('refuses %o', (change, problem) => {
    const text = JSON.stringify({ ...WHOLE, ...change });
    expect(() => parseRequestLine(text, 41, RULES)).toThrow(
      expect.objectContaining({ code: 'evidence-invalid', message: `line 41: ${problem}` }),
    );
    expect(scan(text)).toBeNull();
  });

  it.each([
    ['{"latencyMs":NaN}', 'latencyMs is NaN, which is no number'],
    ['{"ttftMs": -Infinity}', 'ttftMs is -Infinity, which is no number'],
    ['{"at":', 'is not JSON'],
    ['[1]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseRequestLine(text, 3, RULES)).toThrow(/^line 3: /);
    expect(() => parseRequestLine(text, 3, RULES)).toThrow(problem);
    expect(scan(text)).toBeNull();
  });
});

describe('instantOf', () => {
  it.each([
    ['2026-11-24T09:00:00Z', '2026-11-24T09:00:00.000Z'],
    ['2026-11-24T09:00:00.123456Z', '2026-11-24T09:00:00.123Z'],
    ['2026-11-24T10:30:00.5+01:30', '2026-11-24T09:00:00.500Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, instant) => {
    expect(instantOf(text)).toBe(Date.parse(instant));
  });

  it.each([
    '2026-11-24',
    '2026-11-24T09:00:00',
    'Nov 24, 2026 09:00 UTC',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-24T24:30:00Z',
    '1969-12-31T23:59:59Z',
  ])('refuses %s', (text) => {
    expect(instantOf(text)).toBeNull();
  });
});

/** Values of each key: plain ones, odd ones and wrong ones. */
const decimal = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.double({ min: 0, max: 100_000, noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(null, 1e21, 0.1, 123_456_789_012_345, 1_234_567_890_123_456),
);
const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 6 }));
const strange = {
  at: fc.oneof(
    fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom(
      '2026-02-30T00:00:00Z',
      '2026-11-24T09:00:00Z',
      '2026-11-24T23:59:60.000Z',
      '2026-11-24T09:00:00.5Z',
      '2026-11-24T09:00:00.123987+00:00',
      '2026-11-24T09:00:00.+00:00',
      '2026-11-24T09:00:00+01:00',
      '2026-11-24T9:00:00Z',
    ),
    text,
  ),
  stage: fc.constantFrom('shadow', 'canary-5', 'canary-50', 'canary'),
  variant: fc.constantFrom('stable', 'candidate', 'other', null),
  unit: fc.oneof(text, fc.constant(null)),
  latencyMs: decimal,
  ttftMs: decimal,
  promptTokens: decimal,
  cachedTokens: decimal,
  completionTokens: decimal,
  error: fc.constantFrom(null, 'model', 'rate-limit', 'aborted', 'none'),
  refused: fc.constantFrom(true, false, null, 'false'),
  thumb: fc.constantFrom('up', 'down', null, 'u'),
  score: fc.constantFrom(1, 5, null, 0, 6),
  region: text,
};

/** A whole line with up to three of its values replaced. */
const lines = fc
  .subarray(Object.keys(strange), { maxLength: 3 })
  .chain((keys) => fc.record(Object.fromEntries(Object.entries(strange).filter(([key]) => keys.includes(key)))))
  .map((changes) => ({ ...WHOLE, ...changes }));

describe('RequestScanner', () => {
  it('reads the lines that programs write by itself', () => {
    expect(scan(JSON.stringify(WHOLE))).toEqual(parseRequestLine(JSON.stringify(WHOLE), 1, RULES));
    expect(scan(JSON.stringify(WHOLE, null, '\t').replaceAll('\n', ' '))).not.toBeNull();
  });

  it('reads a line as the parser does, or leaves it to the parser', () => {
    let scanned = 0;
    fc.assert(
      fc.property(lines, fc.constantFrom(undefined, 1), (fields, spaces) => {
        const line = JSON.stringify(fields, null, spaces).replaceAll('\n', ' ');
        const read = scan(line);
        if (read === null) return true;
        scanned++;
        return isDeepStrictEqual(read, parseRequestLine(line, 1, RULES));
      }),
      { numRuns: 3000 },
    );
    expect(scanned).toBeGreaterThan(500);
  });

  it('never takes a damaged line for a whole one', () => {
    const line = Buffer.from(JSON.stringify(WHOLE));
    let taken = 0;
    const place = fc.integer({ min: 0, max: line.length - 1 });
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, cut) => {
        const damaged = cut
          ? Buffer.concat([line.subarray(0, at), line.subarray(at + 1)])
          : Buffer.from(line.map((old, index) => (index === at ? byte : old)));
        const read = new RequestScanner(RULES).scan(damaged, 0, damaged.length);
        if (read === null) return true;
        taken++;
        return isDeepStrictEqual(read, parseRequestLine(damaged.toString('utf8'), 1, RULES));
      }),
      { numRuns: 5000 },
    );
    // A digit for another leaves it whole.
    expect(taken).toBeGreaterThan(0);
  });
});
