import type { ApiKind } from './api-path.js';
import { memberValue, objectAt, skipSpace } from './json-members.js';
import type { JsonMember } from './json-members.js';

/** Something that only the upstream which issued it can resolve. */
export interface ServerSideId {
  /** A `chain` (response, conversation) was issued in a dialogue; a `stored` object (file, prompt) was made apart from one. */
  readonly kind: 'chain' | 'stored';
  readonly id: string;
}

const COLON = 0x3a;
const QUOTE = 0x22;

/** The keys as JSON tokens: inside a text their quotes would be escaped, so a match is always a real key. */
const STORED_KEYS = ['"file_id"', '"vector_store_ids"'] as const;
/** Of calls that make something of files. */
const FILE_KEYS = ['"input_file_id"', '"file_ids"'] as const;
const REFERENCE_TOKEN = '"item_reference"';

/** What a request body quotes of earlier answers or uploads. `members` are its top-level members. */
export function serverSideIds(bytes: Buffer, kind: ApiKind, members: readonly JsonMember[]): readonly ServerSideId[] {
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
  if (kind === 'embeddings' || kind === 'completions') return found;
  // A common word elsewhere; in Responses it names a container of the code interpreter.
  const tokens = [
    ...STORED_KEYS,
    ...(kind === 'responses' ? ['"container"'] : []),
    ...(kind === 'stored' ? FILE_KEYS : []),
  ];
  for (const token of tokens) {
    for (const id of stringsAfter(bytes, token)) found.push({ kind: 'stored', id });
  }
  if (bytes.includes(REFERENCE_TOKEN)) found.push({ kind: 'chain', id: 'item_reference' });
  return found;
}

/** A string, or the `id` of an object. */
function idOf(bytes: Buffer, member: JsonMember): string | null {
  const value = memberValue(bytes, member);
  if (typeof value === 'string') return value === '' ? null : value;
  const inner = objectAt(bytes, member.valueStart)?.members.find(({ key }) => key === 'id');
  const id = inner === undefined ? undefined : memberValue(bytes, inner);
  return typeof id === 'string' && id !== '' ? id : null;
}

/** The string, or the first one of the array, that follows each occurrence of a key. */
function* stringsAfter(bytes: Buffer, token: string): Generator<string> {
  for (let at = bytes.indexOf(token); at >= 0; at = bytes.indexOf(token, at + token.length)) {
    let next = skipSpace(bytes, at + token.length);
    if (bytes[next] !== COLON) continue;
    next = skipSpace(bytes, next + 1);
    if (bytes[next] === 0x5b) next = skipSpace(bytes, next + 1);
    const end = bytes[next] === QUOTE ? bytes.indexOf(QUOTE, next + 1) : -1;
    if (end > next + 1) yield bytes.toString('utf8', next + 1, end);
  }
}
