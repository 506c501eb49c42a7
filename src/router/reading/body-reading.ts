import { readsAsRefusal } from '../../comparison/refusal.js';
import type { ApiKind } from '../body/api-path.js';
import { EMPTY } from './answer.js';
import type { AnswerFacts, AnswerReading } from './answer.js';
import { textOf } from './chunk-text.js';
import { element, field, parsed } from './json.js';
import { usageInTail, usageOf } from './usage.js';

/** What is kept whole and parsed; of a longer answer only the end is looked at. */
const KEPT_LIMIT = 1024 * 1024;
const TAIL_LIMIT = 64 * 1024;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Reads an answer that is one body. */
export class BodyReading implements AnswerReading {
  readonly firstTokenAtMs = null;
  readonly #kind: ApiKind;
  readonly #status: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #firstByte: number | null = null;
  #whole = true;

  constructor(kind: ApiKind, status: number) {
    this.#kind = kind;
    this.#status = status;
  }

  push(chunk: Buffer): Buffer {
    if (this.#firstByte === null && chunk.length > 0) this.#firstByte = chunk[0] ?? null;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > KEPT_LIMIT) {
      this.#whole = false;
      while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_LIMIT) {
        this.#bytes -= this.#chunks.shift()?.length ?? 0;
      }
    }
    return chunk;
  }

  flush(): Buffer {
    return EMPTY;
  }

  facts(): AnswerFacts {
    const nothing = { usage: null, refused: null, issuedIds: [] };
    const bytes = Buffer.concat(this.#chunks);
    if (this.#status >= 400) return { ...nothing, complete: false, refused: blockedByFilter(bytes) };
    if (this.#kind === 'other') return { ...nothing, complete: true };
    if (this.#kind === 'stored') {
      return { ...nothing, complete: true, issuedIds: this.#whole ? this.#ids(parsed(bytes.toString('utf8'))) : [] };
    }
    // Vectors are long and hold nothing to read but the usage.
    if (!this.#whole || this.#kind === 'embeddings') {
      return { ...nothing, complete: this.#looksWhole(bytes), usage: usageInTail(bytes) };
    }
    const body = parsed(bytes.toString('utf8'));
    const failed = field(body, 'error') !== undefined && field(body, 'error') !== null;
    const complete = typeof body === 'object' && body !== null && !Array.isArray(body) && !failed;
    if (!complete) return { ...nothing, complete };
    return { complete, usage: usageOf(field(body, 'usage')), refused: this.#refused(body), issuedIds: this.#ids(body) };
  }

  #looksWhole(bytes: Buffer): boolean {
    let last = bytes.length - 1;
    while (last > 0 && (bytes[last] ?? 0) <= 0x20) last -= 1;
    return this.#firstByte === OPEN_BRACE && bytes[last] === CLOSE_BRACE;
  }

  #refused(body: unknown): boolean {
    if (this.#kind === 'responses') {
      const parts = outputParts(body);
      if (parts.some((part) => field(part, 'type') === 'refusal')) return true;
      return readsAsRefusal(parts.map((part) => textOf(field(part, 'text'))).join(''));
    }
    const choice = element(field(body, 'choices'), 0);
    if (field(choice, 'finish_reason') === 'content_filter') return true;
    if (this.#kind === 'completions') return readsAsRefusal(textOf(field(choice, 'text')));
    const message = field(choice, 'message');
    return textOf(field(message, 'refusal')) !== '' || readsAsRefusal(textOf(field(message, 'content')));
  }

  #ids(body: unknown): readonly string[] {
    const ids = [field(body, 'id'), field(field(body, 'conversation'), 'id')];
    return ids.filter((id) => typeof id === 'string');
  }
}

/** Azure answers 400 with this code where OpenAI ends with `content_filter`; null = says nothing of refusals. */
function blockedByFilter(bytes: Buffer): boolean | null {
  const error = field(parsed(bytes.toString('utf8')), 'error');
  return field(error, 'code') === 'content_filter' ? true : null;
}

function outputParts(body: unknown): readonly unknown[] {
  const output = field(body, 'output');
  if (!Array.isArray(output)) return [];
  return output.flatMap((item): readonly unknown[] => {
    const content = field(item, 'content');
    return Array.isArray(content) ? content : [];
  });
}
