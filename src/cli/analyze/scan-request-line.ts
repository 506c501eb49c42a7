/**
 * Reads the lines that programs write: keys of the format, plain values, no escapes. It takes a line only when
 * `parseRequestLine` would read the same from it, and leaves every other line to that one: ten million lines want to be
 * read without a string and a parse for each.
 */
import { InstantReader, NOT_PLAIN, decimalAt } from './plain-values.js';
import { ERROR_WORDS } from './request-line.js';
import type { LineRules, RequestLine } from './request-line.js';

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const DELETE = 0x7f;

const KEYS = [
  'at',
  'stage',
  'variant',
  'unit',
  'latencyMs',
  'ttftMs',
  'promptTokens',
  'cachedTokens',
  'completionTokens',
  'error',
  'refused',
  'thumb',
  'score',
].map((key) => Buffer.from(key));
const [AT, STAGE, VARIANT, UNIT, LATENCY, TTFT, PROMPT, CACHED, COMPLETION, ERROR, REFUSED, THUMB, SCORE] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
] as const;

const VARIANTS = [Buffer.from('stable'), Buffer.from('candidate')];
const ERRORS = ERROR_WORDS.map((word) => Buffer.from(word));
const THUMBS = [Buffer.from('up'), Buffer.from('down')];
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/** Kinds of value. */
const [ABSENT, EMPTY, TEXT, NUMBER, YES, NO] = [0, 1, 2, 3, 4, 5] as const;

/** What readers of values answer for null or absent, beside NOT_PLAIN: the values themselves are never negative. */
const NOTHING = -1;

export class RequestScanner {
  readonly #rules: LineRules;
  readonly #stages: readonly Buffer[];
  /** Where each key's value is in the line, by index of the key. */
  readonly #kinds = new Uint8Array(KEYS.length);
  readonly #starts = new Int32Array(KEYS.length);
  readonly #ends = new Int32Array(KEYS.length);
  /** The key that came behind each key, and first of all, in the line before: programs write them in one order. */
  readonly #following = new Uint8Array(KEYS.length + 1);
  #bytes: Buffer = Buffer.alloc(0);
  readonly #instants = new InstantReader();

  constructor(rules: LineRules) {
    this.#rules = rules;
    this.#stages = (rules.stages ?? []).map((stage) => Buffer.from(stage));
  }

  /** The request in the bytes from `start` to before `end`, without its line end; null = ask `parseRequestLine`. */
  scan(bytes: Buffer, start: number, end: number): RequestLine | null {
    this.#bytes = bytes;
    this.#kinds.fill(ABSENT);
    if (!this.#find(start, end)) return null;

    const at =
      this.#kinds[AT] === TEXT ? this.#instants.at(bytes, this.#starts[AT] ?? 0, this.#ends[AT] ?? 0) : NOT_PLAIN;
    const stageIndex = this.#rules.stages === null ? NOTHING : this.#word(STAGE, this.#stages);
    const variant = this.#word(VARIANT, VARIANTS);
    if (at < 0 || variant < 0 || (stageIndex < 0 && this.#rules.stages !== null)) return null;

    const unit = this.#kinds[UNIT];
    const latency = this.#number(LATENCY);
    const ttft = this.#number(TTFT);
    const prompt = this.#count(PROMPT);
    const cached = this.#count(CACHED);
    const completion = this.#count(COMPLETION);
    const score = this.#count(SCORE);
    const error = this.#word(ERROR, ERRORS);
    const refused = this.#kinds[REFUSED];
    const thumb = this.#word(THUMB, THUMBS);
    if (
      (unit !== ABSENT && unit !== EMPTY && unit !== TEXT) ||
      latency < (this.#rules.needsLatency ? 0 : NOTHING) ||
      ttft === NOT_PLAIN ||
      prompt === NOT_PLAIN ||
      cached === NOT_PLAIN ||
      completion === NOT_PLAIN ||
      error === NOT_PLAIN ||
      this.#kinds[ERROR] === ABSENT ||
      refused === TEXT ||
      refused === NUMBER ||
      thumb === NOT_PLAIN ||
      (score !== NOTHING && (score < 1 || score > 5))
    )
      return null;
    return {
      at,
      stageIndex,
      variant: variant === 0 ? 'stable' : 'candidate',
      unit: unit === TEXT ? this.#text(UNIT) : null,
      latencyMs: latency < 0 ? null : latency,
      ttftMs: ttft < 0 ? null : ttft,
      promptTokens: prompt < 0 ? null : prompt,
      cachedTokens: cached < 0 ? null : cached,
      completionTokens: completion < 0 ? null : completion,
      error: ERROR_WORDS[error] ?? null,
      refused: refused === YES ? true : refused === NO ? false : null,
      thumb: thumb < 0 ? null : thumb === 0 ? 'up' : 'down',
      score: score < 0 ? null : score,
    };
  }

  /** Finds the values of a flat object; false when it is anything but plain. */
  #find(start: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#afterSpace(start, end);
    let previous = KEYS.length;
    if (bytes[at] !== OPEN) return false;
    for (;;) {
      at = this.#afterSpace(at + 1, end);
      if (at >= end || bytes[at] !== QUOTE) return false;
      const keyEnd = this.#endOfText(at + 1, end);
      const key = keyEnd < 0 ? NOT_PLAIN : this.#key(previous, at + 1, keyEnd);
      if (key < 0) return false;
      previous = key;
      at = this.#afterSpace(keyEnd + 1, end);
      if (at >= end || bytes[at] !== COLON) return false;
      at = this.#value(key, this.#afterSpace(at + 1, end), end);
      if (at < 0) return false;
      at = this.#afterSpace(at, end);
      if (at >= end) return false;
      if (bytes[at] === CLOSE) return this.#afterSpace(at + 1, end) === end;
      if (bytes[at] !== COMMA) return false;
    }
  }

  /** Notes the value that begins here and returns where it ends; −1 when it is not plain. */
  #value(key: number, start: number, end: number): number {
    const first = start < end ? (this.#bytes[start] ?? 0) : 0;
    if (first === QUOTE) {
      const close = this.#endOfText(start + 1, end);
      if (close < 0) return -1;
      this.#note(key, TEXT, start + 1, close);
      return close + 1;
    }
    if (first >= ZERO && first <= NINE) {
      let at = start + 1;
      while (at < end && isOfNumber(this.#bytes[at] ?? 0)) at++;
      this.#note(key, NUMBER, start, at);
      return at;
    }
    if (first === LOWER_N) return this.#literal(key, EMPTY, NULL, start, end);
    if (first === LOWER_T) return this.#literal(key, YES, TRUE, start, end);
    return first === LOWER_F ? this.#literal(key, NO, FALSE, start, end) : -1;
  }

  #literal(key: number, kind: number, word: Buffer, start: number, end: number): number {
    const at = start + word.length;
    if (at > end || !this.#equals(word, start)) return -1;
    this.#note(key, kind, start, at);
    return at;
  }

  #note(key: number, kind: number, start: number, end: number): void {
    // Of a key that comes twice the last value counts, as in JSON.parse.
    this.#kinds[key] = kind;
    this.#starts[key] = start;
    this.#ends[key] = end;
  }

  /** Where a text of plain ASCII ends; −1 when it is not one. */
  #endOfText(start: number, end: number): number {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) return at;
      if (byte < SPACE || byte >= DELETE || byte === BACKSLASH) return -1;
    }
    return -1;
  }

  #afterSpace(start: number, end: number): number {
    let at = start;
    while (at < end && (this.#bytes[at] === SPACE || this.#bytes[at] === TAB)) at++;
    return at;
  }

  #key(previous: number, start: number, end: number): number {
    const expected = this.#following[previous] ?? 0;
    const word = KEYS[expected];
    if (word !== undefined && word.length === end - start && this.#equals(word, start)) return expected;
    const key = this.#indexIn(KEYS, start, end);
    if (key >= 0) this.#following[previous] = key;
    return key;
  }

  #indexIn(words: readonly Buffer[], start: number, end: number): number {
    const length = end - start;
    for (let index = 0; index < words.length; index++) {
      const word = words[index];
      if (word !== undefined && word.length === length && this.#equals(word, start)) return index;
    }
    return NOT_PLAIN;
  }

  #equals(word: Buffer, start: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < word.length; i++) if (word[i] !== bytes[start + i]) return false;
    return true;
  }

  #text(key: number): string | null {
    const start = this.#starts[key] ?? 0;
    const end = this.#ends[key] ?? 0;
    return start === end ? null : this.#bytes.toString('latin1', start, end);
  }

  #word(key: number, words: readonly Buffer[]): number {
    const kind = this.#kinds[key];
    if (kind === ABSENT || kind === EMPTY) return NOTHING;
    return kind === TEXT ? this.#indexIn(words, this.#starts[key] ?? 0, this.#ends[key] ?? 0) : NOT_PLAIN;
  }

  #count(key: number): number {
    const value = this.#number(key);
    return Number.isInteger(value) ? value : NOT_PLAIN;
  }

  #number(key: number): number {
    const kind = this.#kinds[key];
    if (kind === ABSENT || kind === EMPTY) return NOTHING;
    return kind === NUMBER ? decimalAt(this.#bytes, this.#starts[key] ?? 0, this.#ends[key] ?? 0) : NOT_PLAIN;
  }
}

/** Bytes of which JSON's numbers are made, behind the first digit. */
function isOfNumber(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= NINE) || byte === DOT || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === MINUS
  );
}
