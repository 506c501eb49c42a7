import type { ApiKind } from '../body/api-path.js';
import { endOfValue, skipSpace } from '../body/json-members.js';
import { chunkText } from './chunk-text.js';
import { element, field, parsed } from './json.js';
import { eventData, eventName } from './sse-event.js';
import { usageOf } from './usage.js';

const QUOTE = 0x22;
/** Where each kind of stream carries its text. Events of responses are numbered, so that no two of them are alike. */
const TEXT_KEYS: Readonly<Partial<Record<ApiKind, string>>> = { chat: '"content":', completions: '"text":' };
/** No model's text. */
const PROBE = 'sluice probe';

/**
 * The shape that nearly all events of a stream share: they differ by their text and by nothing else. A parse costs 2 to
 * 4 µs, which for every event of a stream's beginning was most of what reading it cost; comparing bytes costs a tenth.
 */
export class RepeatedEvent {
  readonly #example: Buffer;
  readonly #prefixLength: number;
  readonly #suffixLength: number;

  private constructor(example: Buffer, prefixLength: number, suffixLength: number) {
    this.#example = example;
    this.#prefixLength = prefixLength;
    this.#suffixLength = suffixLength;
  }

  /** null when the event has no text, more than one place for it, or says anything that an answer's end is judged by. */
  static of(kind: ApiKind, event: Buffer): RepeatedEvent | null {
    const key = TEXT_KEYS[kind];
    const at = key === undefined ? -1 : event.indexOf(key);
    if (key === undefined || at < 0 || event.includes(key, at + 1)) return null;
    const start = skipSpace(event, at + key.length);
    const end = event[start] === QUOTE ? endOfValue(event, start) : -1;
    if (end < 0 || eventName(event) !== '') return null;
    // That this is the place is not guessed: what is put there comes out as the text.
    const probe = Buffer.concat([event.subarray(0, start), Buffer.from(`"${PROBE}"`), event.subarray(end)]);
    const chunk = parsed(eventData(probe));
    const { text, refusal } = chunkText(kind, chunk);
    if (text !== PROBE || refusal || !saysNothingElse(chunk)) return null;
    return new RepeatedEvent(event, start, event.length - end);
  }

  /** The text of an event that differs from the example by nothing else; null when it does. */
  textOf(event: Buffer): string | null {
    const example = this.#example;
    const start = this.#prefixLength;
    const end = event.length - this.#suffixLength;
    if (end < start + 2 || endOfValue(event, start) !== end || event[start] !== QUOTE) return null;
    if (event.compare(example, 0, start, 0, start) !== 0) return null;
    if (event.compare(example, example.length - this.#suffixLength, example.length, end) !== 0) return null;
    const text = parsed(event.toString('utf8', start, end));
    return typeof text === 'string' ? text : null;
  }
}

function saysNothingElse(chunk: unknown): boolean {
  const choice = element(field(chunk, 'choices'), 0);
  const failed = field(chunk, 'error') !== undefined && field(chunk, 'error') !== null;
  return !failed && field(choice, 'finish_reason') !== 'content_filter' && usageOf(field(chunk, 'usage')) === null;
}
