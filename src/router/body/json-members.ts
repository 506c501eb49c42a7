/**
 * Finds the members of a JSON object in its bytes without building the value: routing needs a handful of top-level
 * keys, prompts are long, and what is not rewritten must reach the upstream byte for byte.
 * Only the structure is checked; a body that is malformed deeper down is the upstream's to refuse.
 */
export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  /** First byte of the value, and the byte after its last. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

export interface JsonObject {
  readonly members: readonly JsonMember[];
  /** The byte after the closing brace. */
  readonly end: number;
}

/** Strings anywhere in an object, keys or values, whose length in bytes, quotes included, makes them worth a look. */
export interface StringNotes {
  readonly lengths: ReadonlySet<number>;
  /** Where each begins: filled while the object is gone through. */
  readonly starts: number[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** The object that starts at the first byte after `from` that is no white space; null when there is none or it is cut off. */
export function objectAt(bytes: Buffer, from: number, notes: StringNotes | null = null): JsonObject | null {
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN_BRACE) return null;
  const members: JsonMember[] = [];
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
  for (;;) {
    if (bytes[at] !== QUOTE) return null;
    const keyStart = at;
    const keyEnd = notedStringEnd(bytes, at, notes);
    if (keyEnd < 0) return null;
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return null;
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = endOfValue(bytes, valueStart, notes);
    if (valueEnd < 0) return null;
    const key = decodeString(bytes, keyStart, keyEnd);
    if (key === null) return null;
    members.push({ key, keyStart, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1);
  }
}

/** The parsed value of a member; undefined when it is no JSON. */
export function memberValue(bytes: Buffer, member: JsonMember): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', member.valueStart, member.valueEnd));
  } catch {
    return undefined;
  }
}

/** The byte after the value that starts at `start`; −1 when it is cut off or empty. */
export function endOfValue(bytes: Buffer, start: number, notes: StringNotes | null = null): number {
  const first = bytes[start];
  if (first === QUOTE) return notedStringEnd(bytes, start, notes);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(bytes, start, notes);
  let at = start;
  while (at < bytes.length && !endsScalar(bytes[at])) at += 1;
  return at === start ? -1 : at;
}

export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function endOfNested(bytes: Buffer, start: number, notes: StringNotes | null): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = notedStringEnd(bytes, at, notes);
      if (at < 0) return -1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
    at += 1;
  }
  return -1;
}

function notedStringEnd(bytes: Buffer, start: number, notes: StringNotes | null): number {
  const end = stringEnd(bytes, start);
  if (notes !== null && notes.lengths.has(end - start)) notes.starts.push(start);
  return end;
}

/**
 * A call of `indexOf` costs about as much as a look at so many bytes. Prompts that quote (code, JSON) have an escaped quote
 * every few dozen: with `indexOf` alone 32 KB of them took 97 µs, a plain text of that length 4.
 */
const NEAR_BYTES = 48;

/** The byte after the closing quote; strings are most of a body, and `indexOf` crosses long ones at memory speed. */
function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1;
  for (;;) {
    const near = Math.min(at + NEAR_BYTES, bytes.length);
    while (at < near && bytes[at] !== QUOTE) at += 1;
    if (at === near) at = bytes.indexOf(QUOTE, at);
    if (at < 0) return -1;
    let before = at - 1;
    while (bytes[before] === BACKSLASH && before > start) before -= 1;
    // An even run of backslashes escapes itself, not the quote.
    if ((at - before) % 2 === 1) return at + 1;
    at += 1;
  }
}

function decodeString(bytes: Buffer, start: number, end: number): string | null {
  const raw = bytes.toString('utf8', start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    const decoded: unknown = JSON.parse(`"${raw}"`);
    return typeof decoded === 'string' ? decoded : null;
  } catch {
    return null;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);
}
