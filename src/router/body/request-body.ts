import type { ApiKind } from './api-path.js';
import { applyEdits } from './edits.js';
import type { Edit } from './edits.js';
import type { ValueSpan } from './form-models.js';
import { memberValue, objectAt } from './json-members.js';
import type { JsonMember } from './json-members.js';
import { idNotes, serverSideIds } from './server-side-ids.js';
import type { ServerSideId } from './server-side-ids.js';

/** What the router needs to know of a body; everything else passes unseen. */
export interface RequestBody {
  /** `opaque`: it cannot be read, so that it passes as it is and is never mirrored. */
  readonly format: 'json' | 'form' | 'opaque';
  readonly bytes: Buffer;
  readonly kind: ApiKind;
  /** Top-level members of a JSON body. */
  readonly members: readonly JsonMember[];
  /** Fields called `model` of a form. */
  readonly modelFields: readonly ValueSpan[];
  /** null when it names none. */
  readonly model: string | null;
  readonly stream: boolean;
  /** A usage chunk must be asked for, and taken out of the answer again. */
  readonly addsUsage: boolean;
  /** Answers later, under an id: neither comparable nor mirrored. */
  readonly background: boolean;
  /** The upstream is asked to keep the answer, so that its id can be quoted later. */
  readonly stored: boolean;
  readonly unit: string | null;
  readonly serverSideIds: readonly ServerSideId[];
}

/** In the order in which they name the unit. */
const UNIT_KEYS = ['safety_identifier', 'user', 'prompt_cache_key'] as const;

/** null when the bytes are no JSON object. */
export function readRequestBody(bytes: Buffer, kind: ApiKind): RequestBody | null {
  const notes = idNotes(kind);
  const object = objectAt(bytes, 0, notes);
  if (object === null) return null;
  const { members } = object;
  const model = valueOf(bytes, members, 'model');
  const stream = valueOf(bytes, members, 'stream') === true;
  return {
    format: 'json',
    bytes,
    kind,
    members,
    modelFields: [],
    model: typeof model === 'string' ? model : null,
    stream,
    addsUsage: stream && (kind === 'chat' || kind === 'completions') && !asksForUsage(bytes, members),
    background: valueOf(bytes, members, 'background') === true,
    stored: stores(kind, valueOf(bytes, members, 'store')),
    unit: unitOf(bytes, members),
    serverSideIds: serverSideIds(bytes, kind, members, notes.starts),
  };
}

/** A body of which nothing is read but, in a form, the model. */
export function unreadBody(bytes: Buffer, kind: ApiKind, modelFields: readonly ValueSpan[] | null): RequestBody {
  const field = modelFields?.at(-1);
  return {
    format: modelFields === null ? 'opaque' : 'form',
    bytes,
    kind,
    members: [],
    modelFields: modelFields ?? [],
    model: field === undefined ? null : bytes.toString('utf8', field.start, field.end),
    stream: false,
    addsUsage: false,
    background: false,
    stored: kind === 'stored',
    unit: null,
    serverSideIds: [],
  };
}

/** The body as one upstream gets it: its model name, a usage request where needed, and nothing stored for a mirror. */
export function bodyFor(body: RequestBody, model: string, purpose: 'served' | 'mirrored'): Buffer {
  if (body.format === 'opaque') return body.bytes;
  if (body.format === 'form') {
    return applyEdits(
      body.bytes,
      body.modelFields.map((field) => ({ ...field, text: model })),
    );
  }
  const edits: Edit[] = [];
  const modelText = JSON.stringify(model);
  if (body.model !== model) {
    // Every one of them: parsers differ in which duplicate counts, and none may name another model.
    for (const member of named(body.members, 'model')) edits.push(replaced(member, modelText));
  }
  if (body.addsUsage) edits.push(usageEdit(body));
  if (purpose === 'mirrored' && body.stored) edits.push(...storeEdits(body));
  return applyEdits(body.bytes, edits);
}

function usageEdit(body: RequestBody): Edit {
  const options = lastNamed(body.members, 'stream_options');
  if (options === undefined) return insertedFirst(body, '"stream_options":{"include_usage":true}');
  const inner = objectAt(body.bytes, options.valueStart);
  if (inner === null) return replaced(options, '{"include_usage":true}');
  const include = lastNamed(inner.members, 'include_usage');
  if (include !== undefined) return replaced(include, 'true');
  const first = inner.members[0];
  if (first === undefined) return replaced(options, '{"include_usage":true}');
  return { start: first.keyStart, end: first.keyStart, text: '"include_usage":true,' };
}

/** A mirrored answer must leave nothing behind; Responses are kept unless one says otherwise. */
function storeEdits(body: RequestBody): readonly Edit[] {
  const members = named(body.members, 'store');
  if (members.length === 0) return [insertedFirst(body, '"store":false')];
  return members.map((member) => replaced(member, 'false'));
}

function stores(kind: ApiKind, store: unknown): boolean {
  if (kind === 'stored') return true;
  return kind === 'responses' ? store !== false : store === true;
}

function insertedFirst(body: RequestBody, text: string): Edit {
  // A body that routes has a model, so that there is always a member to stand before.
  const start = body.members[0]?.keyStart ?? 1;
  return { start, end: start, text: `${text},` };
}

function replaced(member: JsonMember, text: string): Edit {
  return { start: member.valueStart, end: member.valueEnd, text };
}

function asksForUsage(bytes: Buffer, members: readonly JsonMember[]): boolean {
  const options = lastNamed(members, 'stream_options');
  const inner = options === undefined ? null : objectAt(bytes, options.valueStart);
  return inner !== null && valueOf(bytes, inner.members, 'include_usage') === true;
}

function unitOf(bytes: Buffer, members: readonly JsonMember[]): string | null {
  for (const key of UNIT_KEYS) {
    const unit = unitText(valueOf(bytes, members, key));
    if (unit !== null) return unit;
  }
  const metadata = lastNamed(members, 'metadata');
  const inner = metadata === undefined ? null : objectAt(bytes, metadata.valueStart);
  return inner === null ? null : unitText(valueOf(bytes, inner.members, 'user_id'));
}

function unitText(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' ? String(value) : null;
}

function valueOf(bytes: Buffer, members: readonly JsonMember[], key: string): unknown {
  const member = lastNamed(members, key);
  return member === undefined ? undefined : memberValue(bytes, member);
}

function named(members: readonly JsonMember[], key: string): readonly JsonMember[] {
  return members.filter((member) => member.key === key);
}

/** The last one counts, as for most parsers. */
function lastNamed(members: readonly JsonMember[], key: string): JsonMember | undefined {
  return members.findLast((member) => member.key === key);
}
