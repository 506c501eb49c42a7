import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunkText } from '../../src/router/reading/chunk-text.js';
import { parsed } from '../../src/router/reading/json.js';
import { RepeatedEvent } from '../../src/router/reading/repeated-event.js';
import { eventData, eventName } from '../../src/router/reading/sse-event.js';

const bytes = (value: unknown, around: readonly [string, string] = ['data: ', '\n\n']): Buffer =>
  Buffer.from(`${around[0]}${JSON.stringify(value)}${around[1]}`);
const delta = (content: unknown, more: Record<string, unknown> = {}): unknown => ({
  id: 'c-1',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
});
const text = fc.string({ unit: 'binary' });

describe('an event like one before', () => {
  test('gives the text that a parse would', () => {
    fc.assert(
      fc.property(text, text, fc.constantFrom('\n\n', '\r\n\r\n'), (first, second, end) => {
        const repeated = RepeatedEvent.of('chat', bytes(delta(first), ['data: ', end]));
        expect(repeated?.textOf(bytes(delta(second), ['data: ', end]))).toBe(second);
      }),
    );
  });

  test('is told from every other by a single byte outside of its text', () => {
    const event = bytes(delta('hello'));
    const repeated = RepeatedEvent.of('chat', event);
    expect(repeated).not.toBeNull();
    fc.assert(
      fc.property(fc.nat(event.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(event);
        changed[at] = ((changed[at] ?? 0) + by) % 256;
        const known = repeated?.textOf(changed) ?? null;
        expect([null, chunkText('chat', parsed(eventData(changed))).text]).toContain(known);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is none when the end of the stream is in it', () => {
    const repeated = RepeatedEvent.of('chat', bytes(delta('hello')));
    const stop = { id: 'c-1', choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'content_filter' }] };
    expect(repeated?.textOf(bytes(stop))).toBeNull();
    expect(repeated?.textOf(Buffer.from('data: [DONE]\n\n'))).toBeNull();
    expect(repeated?.textOf(bytes(delta('hello')).subarray(0, -6))).toBeNull();
  });
});

describe('no example is', () => {
  test.each([
    ['an error beside the text', delta('a', { error: { message: 'm' } })],
    ['usage beside the text', delta('a', { usage: { prompt_tokens: 1 } })],
    ['a filter that ended it', { choices: [{ delta: { content: 'a' }, finish_reason: 'content_filter' }] }],
    ['a second place that could be the text', delta('a', { other: { content: 'b' } })],
    ['a text in another place than the first choice', { choices: [{ delta: {} }, { delta: { content: 'b' } }] }],
    ['a refusal beside the text', { choices: [{ delta: { content: 'a', refusal: 'no' } }] }],
    ['no text', delta(null)],
  ])('%s', (_what, value) => {
    expect(RepeatedEvent.of('chat', bytes(value))).toBeNull();
  });

  test('an event with a name, or of a kind whose events are numbered', () => {
    expect(RepeatedEvent.of('chat', bytes(delta('a'), ['event: error\ndata: ', '\n\n']))).toBeNull();
    const numbered = { type: 'response.output_text.delta', delta: 'a', sequence_number: 4 };
    expect(RepeatedEvent.of('responses', bytes(numbered))).toBeNull();
  });

  test('the text of completions is found under its own key', () => {
    const repeated = RepeatedEvent.of('completions', bytes({ choices: [{ text: 'a' }] }));
    expect(repeated?.textOf(bytes({ choices: [{ text: 'b"c' }] }))).toBe('b"c');
  });
});

describe('an event of one line', () => {
  const field = fc.constantFrom('data:', 'data: ', 'data', 'event: ', ': ', 'datum: ', '');
  const lines = fc.array(fc.tuple(field, fc.string({ unit: fc.constantFrom('a', ' ', ':', 'd', '\r') })), {
    maxLength: 3,
  });

  test('reads as by its lines', () => {
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom('', '\n', '\n\n', '\r\n\r\n', '\n\r\n', '\r\r'),
        (parts, eol, end) => {
          const event = parts.map(([name, value]) => name + value).join(eol) + end;
          const data = event
            .split(/\r\n|\n|\r/)
            .filter((line) => line.startsWith('data:'))
            .map((line) => line.slice(line.startsWith('data: ') ? 6 : 5));
          expect(eventData(Buffer.from(event))).toBe(data.join('\n'));
          const named = /^event: ?([^\r\n]*)/m.exec(event);
          expect(eventName(Buffer.from(event))).toBe(named?.[1] ?? '');
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
