/** One logged request, as `analyze` reads it: a line of JSON. This parser decides; the scanner is its quick twin. */
import type { ErrorClass } from '../../evidence/record.js';
import { SluiceError } from '../../plan/failures.js';
import type { Variant } from '../../plan/types.js';

/** A request of the log; null = not measured, but for `error`, where null is success. */
export interface RequestLine {
  /** Start, Unix ms. */
  readonly at: number;
  /** Index among the stages of the rules; −1 without such rules. */
  readonly stageIndex: number;
  readonly variant: Variant;
  readonly unit: string | null;
  readonly latencyMs: number | null;
  readonly ttftMs: number | null;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly error: ErrorClass | 'aborted' | null;
  readonly refused: boolean | null;
  readonly thumb: 'up' | 'down' | null;
  /** 1 (worst) to 5. */
  readonly score: number | null;
}

export interface LineRules {
  /** Stages that a line may name; null = the stage is not looked at. */
  readonly stages: readonly string[] | null;
  /** A guardrail compares latencies, so that each request must have one. */
  readonly needsLatency: boolean;
}

export const ERROR_WORDS = ['model', 'refused', 'timeout', 'rate-limit', 'connect', 'broken', 'aborted'] as const;

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Numbers that JSON does not have, and some programs write all the same. */
const NO_JSON_NUMBER = /"([^"\\]*)"\s*:\s*(-?(?:NaN|Infinity))\b/i;
const LONGEST_SHOWN = 60;

/**
 * Reads one line. Keys that it does not know are left alone.
 * @param lineNumber counts from 1, for errors
 * @throws SluiceError `evidence-invalid` naming the line, the key and its value
 */
export function parseRequestLine(text: string, lineNumber: number, rules: LineRules): RequestLine {
  const line = new LineFields(objectOf(text, lineNumber), lineNumber);
  return {
    at: line.instant('at'),
    stageIndex:
      rules.stages === null ? -1 : line.required('stage', (value) => line.among('stage', value, rules.stages ?? [])),
    variant: line.required('variant', (value) =>
      line.among('variant', value, ['stable', 'candidate']) === 0 ? 'stable' : 'candidate',
    ),
    unit: line.text('unit'),
    latencyMs: rules.needsLatency
      ? line.required('latencyMs', () => line.number('latencyMs') ?? line.refuse('latencyMs', 'not a number of ms'))
      : line.number('latencyMs'),
    ttftMs: line.number('ttftMs'),
    promptTokens: line.count('promptTokens'),
    cachedTokens: line.count('cachedTokens'),
    completionTokens: line.count('completionTokens'),
    error: line.required('error', (value) =>
      value === null ? null : (ERROR_WORDS[line.among('error', value, ERROR_WORDS)] ?? null),
    ),
    refused: line.boolean('refused'),
    thumb: line.thumb('thumb'),
    score: line.score('score'),
  };
}

/** An error about one line. */
export function lineError(lineNumber: number, problem: string): SluiceError {
  return new SluiceError('evidence-invalid', `line ${lineNumber}: ${problem}`);
}

/** Unix ms of an instant with time zone; null when it is none. */
export function instantOf(text: string): number | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const at = Date.parse(text);
  if (!Number.isFinite(at) || at < 0) return null;
  // A day that its month does not have must not become one of the next month.
  const wall = Date.parse(`${match[1] ?? ''}Z`);
  return Number.isFinite(wall) && new Date(wall).toISOString().startsWith(match[1] ?? ' ') ? at : null;
}

function objectOf(text: string, lineNumber: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const [, key, word] = NO_JSON_NUMBER.exec(text) ?? [];
    if (key !== undefined && word !== undefined) {
      throw lineError(lineNumber, `${key} is ${word}, which is no number; leave the key out, or write null`);
    }
    const why = error instanceof Error ? error.message : String(error);
    throw lineError(lineNumber, `${shown(text)} is not JSON (${why}); write one JSON object a line`);
  }
  if (isObject(value)) return value;
  throw lineError(lineNumber, `${shown(value)} is not a JSON object; write one JSON object a line`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

/** The fields of one line, each checked; absent and null are the same unless the key is required. */
class LineFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #lineNumber: number;

  constructor(fields: Readonly<Record<string, unknown>>, lineNumber: number) {
    this.#fields = fields;
    this.#lineNumber = lineNumber;
  }

  refuse(key: string, why: string): never {
    throw lineError(this.#lineNumber, `${key} is ${shown(this.#fields[key])}, ${why}`);
  }

  required<Value>(key: string, read: (value: unknown) => Value): Value {
    if (this.#fields[key] === undefined) throw lineError(this.#lineNumber, `${key} is missing`);
    return read(this.#fields[key]);
  }

  instant(key: string): number {
    return this.required(key, (value) => {
      const at = typeof value === 'string' ? instantOf(value) : null;
      return at ?? this.refuse(key, 'not a time; write it as 2026-11-24T09:00:00.000Z');
    });
  }

  /** Index of the value among the words. */
  among(key: string, value: unknown, words: readonly string[]): number {
    const index = words.findIndex((word) => word === value);
    if (index >= 0) return index;
    return this.refuse(key, `not one of ${words.join(', ')}`);
  }

  text(key: string): string | null {
    const value = this.#fields[key] ?? null;
    if (value === null || value === '') return null;
    return typeof value === 'string' ? value : this.refuse(key, 'not a text');
  }

  number(key: string): number | null {
    const value = this.#fields[key] ?? null;
    if (value === null) return null;
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.refuse(key, 'not a number');
    // −0 is 0.
    return value >= 0 ? Math.abs(value) : this.refuse(key, 'negative');
  }

  count(key: string): number | null {
    const value = this.number(key);
    if (value === null || Number.isSafeInteger(value)) return value;
    return this.refuse(key, 'not a whole number');
  }

  boolean(key: string): boolean | null {
    const value = this.#fields[key] ?? null;
    return value === null || typeof value === 'boolean' ? value : this.refuse(key, 'neither true nor false');
  }

  thumb(key: string): 'up' | 'down' | null {
    const value = this.#fields[key] ?? null;
    return value === null || value === 'up' || value === 'down' ? value : this.refuse(key, 'neither "up" nor "down"');
  }

  score(key: string): number | null {
    const value = this.count(key);
    return value === null || (value >= 1 && value <= 5) ? value : this.refuse(key, 'not a score from 1 to 5');
  }
}
