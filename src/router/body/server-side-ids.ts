import type { ApiKind } from './api-path.js';
import { memberValue, objectAt, skipSpace } from './json-members.js';
import type { JsonMember, StringNotes } from './json-members.js';

/** Something that only the upstream which issued it can resolve. */
export interface ServerSideId {
  /** A `chain` (response, conversation) was issued in a dialogue; a `stored` object (file, prompt) was made apart from one. */
  readonly kind: 'chain' | 'stored';
  readonly id: string;
}

const COLON = 0x3a;
const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;

/** Keys whose value names a stored object, wherever they stand. */
const STORED_KEYS: readonly string[] = ['file_id', 'vector_store_ids'];
/** A common word elsewhere; in Responses it names a container of the code interpreter. */
const RESPONSES_KEYS: readonly string[] = [...STORED_KEYS, 'container'];
/** Of calls that make something of files. */
const FILE_KEYS: readonly string[] = [...STORED_KEYS, 'input_file_id', 'file_ids'];
const REFERENCE = 'item_reference';
const NO_LENGTHS: ReadonlySet<number> = new Set();
const LENGTHS = new Map([STORED_KEYS, RESPONSES_KEYS, FILE_KEYS].map((keys) => [keys, quotedLengths(keys)]));

/** What to note of a body's strings for `serverSideIds`: one way through the body instead of one for each key. */
export function idNotes(kind: ApiKind): StringNotes {
  const keys = keysOf(kind);
  return { lengths: keys === null ? NO_LENGTHS : (LENGTHS.get(keys) ?? NO_LENGTHS), starts: [] };
}

/**
 * What a request body quotes of earlier answers or uploads. `members` are its top-level members, `noted` the strings that
 * were noted as `idNotes` asks.
 */
export function serverSideIds(
  bytes: Buffer,
  kind: ApiKind,
  members: readonly JsonMember[],
  noted: readonly number[],
): readonly ServerSideId[] {
  const found: ServerSideId[] = [];
  for (const member of members) {
    if (member.key === 'previous_response_id' || member.key === 'conversation') {
      const id = idOf(bytes, member);
      if (id !== null) found.push({ kind: 'chain', id });
    } else if (member.key === 'prompt' && kind === 'responses') {
      const id = idOf(bytes, member);
      if (id !== null) found.push({ kind: 'stored', id });
    }
  }
  const keys = keysOf(kind);
  if (keys === null) return found;
  for (const start of noted) {
    const end = bytes.indexOf(QUOTE, start + 1);
    const text = bytes.toString('latin1', start + 1, end);
    if (text === REFERENCE) found.push({ kind: 'chain', id: REFERENCE });
    else if (keys.includes(text)) {
      const id = stringAfter(bytes, end + 1);
      if (id !== null) found.push({ kind: 'stored', id });
    }
  }
  return found;
}

/** null = bodies of this kind quote nothing within. */
function keysOf(kind: ApiKind): readonly string[] | null {
  if (kind === 'embeddings' || kind === 'completions') return null;
  if (kind === 'responses') return RESPONSES_KEYS;
  return kind === 'stored' ? FILE_KEYS : STORED_KEYS;
}

function quotedLengths(keys: readonly string[]): ReadonlySet<number> {
  return new Set([...keys, REFERENCE].map((key) => key.length + 2));
}

/** A string, or the `id` of an object. */
function idOf(bytes: Buffer, member: JsonMember): string | null {
  const value = memberValue(bytes, member);
  if (typeof value === 'string') return value === '' ? null : value;
  const inner = objectAt(bytes, member.valueStart)?.members.find(({ key }) => key === 'id');
  const id = inner === undefined ? undefined : memberValue(bytes, inner);
  return typeof id === 'string' && id !== '' ? id : null;
}

/** The string, or the first one of the array, that is the value of the key which ends at `keyEnd`. */
function stringAfter(bytes: Buffer, keyEnd: number): string | null {
  let next = skipSpace(bytes, keyEnd);
  if (bytes[next] !== COLON) return null;
  next = skipSpace(bytes, next + 1);
  if (bytes[next] === OPEN_BRACKET) next = skipSpace(bytes, next + 1);
  const end = bytes[next] === QUOTE ? bytes.indexOf(QUOTE, next + 1) : -1;
  return end > next + 1 ? bytes.toString('utf8', next + 1, end) : null;
}
