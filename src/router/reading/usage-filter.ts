import { skipSpace } from '../body/json-members.js';
import { element, field, parsed } from './json.js';
import { eventData } from './sse-event.js';

const USAGE_KEY = '"usage"';
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Takes out of a stream what a usage request of ours put in: the chunk without choices that carries the usage, and the
 * `"usage":null` that some servers then add to every other chunk. Returns the event as the client is to see it; null = not at all.
 */
export function withoutUsage(event: Buffer): Buffer | null {
  // Inside a text the quotes would be escaped: this is always a key.
  const key = event.indexOf(USAGE_KEY);
  if (key < 0) return event;
  const colon = skipSpace(event, key + USAGE_KEY.length);
  if (event[colon] !== COLON) return event;
  const value = skipSpace(event, colon + 1);
  if (event.subarray(value, value + 4).equals(NULL_BYTES)) return withoutRange(event, key, value + 4);
  const chunk = parsed(eventData(event));
  const choices = field(chunk, 'choices');
  const usageOnly = Array.isArray(choices) && element(choices, 0) === undefined && field(chunk, 'usage') !== undefined;
  return usageOnly ? null : event;
}

const NULL_BYTES = Buffer.from('null');

/** Removes a member together with the comma that belongs to it. */
function withoutRange(event: Buffer, start: number, end: number): Buffer {
  let before = start - 1;
  while (event[before] === 0x20) before -= 1;
  if (event[before] === COMMA) return Buffer.concat([event.subarray(0, before), event.subarray(end)]);
  const after = skipSpace(event, end);
  const next = event[after] === COMMA ? skipSpace(event, after + 1) : end;
  return Buffer.concat([event.subarray(0, start), event.subarray(next)]);
}
