import { REFUSAL_HEAD, readsAsRefusal } from '../../comparison/refusal.js';
import type { ApiKind } from '../body/api-path.js';
import { EMPTY } from './answer.js';
import type { AnswerFacts, AnswerReading } from './answer.js';
import { chunkText, textOf } from './chunk-text.js';
import { element, field, parsed } from './json.js';
import { RepeatedEvent } from './repeated-event.js';
import { eventData, eventEnd, eventName } from './sse-event.js';
import { withoutUsage } from './usage-filter.js';
import { usageInTail, usageOf } from './usage.js';
import type { Usage } from './usage.js';

/** The last events hold finish reason, usage and terminator; none before them is parsed but the first few. */
const TAIL_EVENTS = 4;
/** An event that grows beyond this is no answer's chunk: it passes, and only its end is kept. */
const EVENT_LIMIT = 1024 * 1024;
const PARSE_LIMIT = 256 * 1024;
/** Raw bytes in which 300 characters of text fit, even at one token an event. */
const HEAD_LIMIT = 32 * 1024;
/** After so many events without a token the first of the next ones counts: a stream of pings must not cost a parse each. */
const TOKEN_SEARCH_LIMIT = 64;

/** Kinds whose streams have no end that is known, and no text to classify. */
const HAVE_NO_END: ReadonlySet<ApiKind> = new Set(['other', 'stored', 'embeddings']);

/** Reads a stream of server-sent events: frames it, keeps its beginning and its end, and parses those after the last byte. */
export class StreamReading implements AnswerReading {
  readonly #kind: ApiKind;
  readonly #head: Buffer[] = [];
  readonly #tail: Buffer[] = [];
  readonly #issuedIds: string[] = [];
  #filter: boolean;
  #carry: Buffer = EMPTY;
  #headBytes = 0;
  #events = 0;
  #firstTokenAtMs: number | null = null;

  /** `filter`: the client asked for no usage, so that the chunk which we asked for is taken out. */
  constructor(kind: ApiKind, filter: boolean) {
    this.#kind = kind;
    this.#filter = filter;
  }

  get firstTokenAtMs(): number | null {
    return this.#firstTokenAtMs;
  }

  push(chunk: Buffer, atMs: number): Buffer {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const visible = new VisibleBytes(data);
    let at = 0;
    while (at < data.length) {
      const end = eventEnd(data, at);
      if (end < 0) break;
      // As a rule a chunk is an event: no view of it is made then.
      const event = at === 0 && end === data.length ? data : data.subarray(at, end);
      this.#event(event, atMs);
      if (this.#filter) visible.replace(at, end, event, withoutUsage(event));
      at = end;
    }
    this.#carry = at === data.length ? EMPTY : data.subarray(at);
    if (!this.#filter) {
      if (this.#carry.length > EVENT_LIMIT) this.#carry = this.#carry.subarray(-PARSE_LIMIT);
      return chunk;
    }
    if (this.#carry.length > EVENT_LIMIT) {
      this.#filter = false;
      return visible.until(data.length);
    }
    return visible.until(at);
  }

  flush(): Buffer {
    if (!this.#filter || this.#carry.length === 0) return EMPTY;
    return withoutUsage(this.#carry) ?? EMPTY;
  }

  facts(): AnswerFacts {
    const head = this.#readHead();
    const end = this.#readTail(head.repeated);
    const complete = end.terminated && !end.failed;
    const refused = head.refusal || end.filtered || readsAsRefusal(head.text);
    const classified = complete && !HAVE_NO_END.has(this.#kind);
    return { complete, usage: end.usage, refused: classified ? refused : null, issuedIds: this.#issuedIds };
  }

  #event(event: Buffer, atMs: number): void {
    this.#events += 1;
    if (this.#firstTokenAtMs === null && event[0] !== COMMENT) {
      const chunk = this.#events > TOKEN_SEARCH_LIMIT ? true : parsed(eventData(event));
      if (this.#kind === 'responses') this.#noteIds(chunk);
      if (chunk === true || chunkText(this.#kind, chunk).token) this.#firstTokenAtMs = atMs;
    }
    if (this.#headBytes < HEAD_LIMIT) {
      this.#head.push(event);
      this.#headBytes += event.length;
    }
    this.#tail.push(event);
    if (this.#tail.length > TAIL_EVENTS) this.#tail.shift();
  }

  #noteIds(chunk: unknown): void {
    const response = field(chunk, 'response');
    for (const id of [field(response, 'id'), field(field(response, 'conversation'), 'id')]) {
      if (typeof id === 'string' && !this.#issuedIds.includes(id)) this.#issuedIds.push(id);
    }
  }

  #readTail(repeated: RepeatedEvent | null): StreamEnd {
    const end: StreamEnd = { terminated: false, failed: false, filtered: false, usage: null };
    const events = this.#carry.length > 0 ? [...this.#tail, this.#carry] : this.#tail;
    for (const event of events) {
      if (repeated !== null && repeated.textOf(event) !== null) continue;
      const name = eventName(event);
      if (name === 'error' || name === 'response.failed') end.failed = true;
      if (event.length > PARSE_LIMIT) {
        end.terminated ||=
          this.#kind === 'responses' && (name === 'response.completed' || name === 'response.incomplete');
        end.usage = usageInTail(event) ?? end.usage;
        continue;
      }
      const data = eventData(event);
      if (data.trimEnd() === '[DONE]') {
        end.terminated = true;
        continue;
      }
      const chunk = parsed(data);
      if (field(chunk, 'error') !== undefined && field(chunk, 'error') !== null) end.failed = true;
      end.filtered ||= field(element(field(chunk, 'choices'), 0), 'finish_reason') === 'content_filter';
      end.usage = usageOf(field(chunk, 'usage')) ?? usageOf(field(field(chunk, 'response'), 'usage')) ?? end.usage;
      if (this.#kind !== 'responses') continue;
      const type = textOf(field(chunk, 'type'));
      if (type === 'response.failed' || type === 'error') end.failed = true;
      if (type === 'response.completed' || type === 'response.incomplete') end.terminated = true;
    }
    // Nothing is known of how other streams end; a transport that broke has said so itself.
    if (HAVE_NO_END.has(this.#kind)) end.terminated = true;
    return end;
  }

  #readHead(): StreamHead {
    let text = '';
    let repeated: RepeatedEvent | null = null;
    for (const event of this.#head) {
      const known: string | null = repeated === null ? null : repeated.textOf(event);
      if (known === null) {
        const data = eventData(event);
        // An error made and caught costs more than any parse.
        if (data.startsWith('[DONE]')) continue;
        const piece = chunkText(this.#kind, parsed(data));
        if (piece.refusal) return { text, refusal: true, repeated };
        // Once: where the first text makes no example, the next ones will not either.
        if (text === '' && piece.text !== '') repeated = RepeatedEvent.of(this.#kind, event);
        text += piece.text;
      } else text += known;
      if (text.length >= REFUSAL_HEAD) break;
    }
    return { text, refusal: false, repeated };
  }
}

/** A line that begins with a colon says nothing: a ping. */
const COMMENT = 0x3a;

interface StreamHead {
  readonly text: string;
  readonly refusal: boolean;
  /** What most of its events look like; null = no two are known to be alike. */
  readonly repeated: RepeatedEvent | null;
}

interface StreamEnd {
  terminated: boolean;
  failed: boolean;
  filtered: boolean;
  usage: Usage | null;
}

/** The bytes of a chunk that the client sees; no copy while nothing is taken out. */
class VisibleBytes {
  readonly #data: Buffer;
  readonly #parts: Buffer[] = [];
  #from = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  replace(start: number, end: number, event: Buffer, visible: Buffer | null): void {
    if (visible === event) return;
    if (start > this.#from) this.#parts.push(this.#data.subarray(this.#from, start));
    if (visible !== null) this.#parts.push(visible);
    this.#from = end;
  }

  until(end: number): Buffer {
    if (this.#parts.length === 0) {
      return this.#from === 0 && end === this.#data.length ? this.#data : this.#data.subarray(this.#from, end);
    }
    if (end > this.#from) this.#parts.push(this.#data.subarray(this.#from, end));
    return Buffer.concat(this.#parts);
  }
}
