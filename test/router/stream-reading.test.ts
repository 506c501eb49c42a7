import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamReading } from '../../src/router/reading/stream-reading.js';
import type { ApiKind } from '../../src/router/body/api-path.js';

const chunk = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string): string => chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const ROLE = chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] });
const STOP = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const USAGE = chunk({
  choices: [],
  usage: { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } },
});
const DONE = 'data: [DONE]\n\n';

/** Passes the stream through in pieces cut at the given places (fractions of its length). */
function pass(
  stream: string,
  options: { kind?: ApiKind; filter: boolean; cuts?: readonly number[] },
): { reading: StreamReading; visible: string } {
  const reading = new StreamReading(options.kind ?? 'chat', options.filter);
  const bytes = Buffer.from(stream);
  const ends = [...(options.cuts ?? []).map((cut) => Math.floor(cut * bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  const parts: Buffer[] = [];
  let at = 0;
  for (const [index, end] of ends.entries()) {
    parts.push(Buffer.from(reading.push(bytes.subarray(at, end), 100 + index)));
    at = end;
  }
  parts.push(reading.flush());
  return { reading, visible: Buffer.concat(parts).toString() };
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 });

describe('a client that asked for usage', () => {
  test('gets every byte, however the stream is cut', () => {
    fc.assert(
      fc.property(texts, cuts, (words, places) => {
        const stream = [ROLE, ...words.map(delta), STOP, USAGE, DONE].join('');
        const { reading, visible } = pass(stream, { filter: false, cuts: places });
        expect(visible).toBe(stream);
        expect(reading.facts()).toMatchObject({
          complete: true,
          usage: { promptTokens: 12, cachedTokens: 8, completionTokens: 3 },
        });
      }),
    );
  });
});

describe('a client that did not ask for usage', () => {
  test('gets every byte but the usage chunk, however the stream is cut', () => {
    fc.assert(
      fc.property(texts, cuts, (words, places) => {
        const before = [ROLE, ...words.map(delta), STOP].join('');
        const { reading, visible } = pass(`${before}${USAGE}${DONE}`, { filter: true, cuts: places });
        expect(visible).toBe(`${before}${DONE}`);
        expect(reading.facts()).toMatchObject({ complete: true, usage: { promptTokens: 12 } });
      }),
    );
  });

  test('does not see the null usage that some servers then add to every chunk', () => {
    const withNull = 'data: {"choices":[{"delta":{"content":"say \\"usage\\":null"}}],"usage":null}\n\n';
    const first = 'data: {"usage": null, "choices":[{"delta":{"content":"b"}}]}\n\n';
    const { visible } = pass(`${withNull}${first}${USAGE}${DONE}`, { filter: true });
    expect(visible).toBe(
      'data: {"choices":[{"delta":{"content":"say \\"usage\\":null"}}]}\n\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\ndata: [DONE]\n\n',
    );
  });

  test('keeps usage that came with text, comments, and line ends of either kind', () => {
    const stream =
      `: ping\n\n${chunk({ choices: [{ delta: { content: 'a' } }], usage: { prompt_tokens: 1 } })}`.replaceAll(
        '\n',
        '\r\n',
      );
    const { visible } = pass(`${stream}${USAGE.replaceAll('\n', '\r\n')}${DONE}`, { filter: true });
    expect(visible).toBe(`${stream}${DONE}`);
  });

  test('loses no byte of an end without its blank line', () => {
    const { visible, reading } = pass(`${delta('a')}data: [DONE]`, { filter: true });
    expect(visible).toBe(`${delta('a')}data: [DONE]`);
    expect(reading.facts().complete).toBe(true);
  });

  test('gets an event of megabytes too', () => {
    const stream = `${delta('x'.repeat(3_000_000))}${DONE}`;
    expect(pass(stream, { filter: true, cuts: [0.2, 0.4, 0.6, 0.8] }).visible).toBe(stream);
  });
});

describe('the first token', () => {
  test('is the first chunk that carries one: no comment, no role', () => {
    const reading = new StreamReading('chat', false);
    reading.push(Buffer.from(': ping\n\n'), 1);
    reading.push(Buffer.from(ROLE), 2);
    expect(reading.firstTokenAtMs).toBeNull();
    reading.push(Buffer.from(delta('Hi')), 3);
    reading.push(Buffer.from(delta(' there')), 4);
    expect(reading.firstTokenAtMs).toBe(3);
  });

  test.each([
    ['chat', { choices: [{ delta: { tool_calls: [{ id: 'x' }] } }] }],
    ['chat', { choices: [{ delta: { reasoning_content: 'hm' } }] }],
    ['completions', { choices: [{ text: 'Hi' }] }],
    ['responses', { type: 'response.output_text.delta', delta: 'Hi' }],
  ] as const)('in %s it may be %j', (kind, value) => {
    const reading = new StreamReading(kind, false);
    reading.push(Buffer.from(chunk(value)), 5);
    expect(reading.firstTokenAtMs).toBe(5);
  });
});

describe('how a stream ends', () => {
  const completed = (usage: unknown): string =>
    `event: response.completed\n${chunk({ type: 'response.completed', response: { id: 'resp_1', status: 'completed', usage } })}`;

  test.each<[string, ApiKind, string, boolean]>([
    ['with its terminator', 'chat', `${delta('a')}${STOP}${DONE}`, true],
    ['without it', 'chat', `${delta('a')}${STOP}`, false],
    ['in the middle of a chunk', 'chat', `${delta('a')}data: {"choi`, false],
    ['with an error event', 'chat', `${delta('a')}${chunk({ error: { message: 'out of memory' } })}${DONE}`, false],
    ['with an event named error', 'chat', `${delta('a')}event: error\ndata: oh\n\n${DONE}`, false],
    ['with nothing', 'chat', '', false],
    ['a response, completed', 'responses', completed({ input_tokens: 1 }), true],
    ['a response, cut short by its limit', 'responses', chunk({ type: 'response.incomplete', response: {} }), true],
    ['a response, failed', 'responses', chunk({ type: 'response.failed', response: { error: {} } }), false],
    ['a response, broken off', 'responses', chunk({ type: 'response.output_text.delta', delta: 'a' }), false],
  ])('%s', (_name, kind, stream, complete) => {
    expect(pass(stream, { kind, filter: false }).reading.facts().complete).toBe(complete);
  });

  test('a response says its id at the start and its usage at the end, however long it is', () => {
    const created = chunk({ type: 'response.created', response: { id: 'resp_9', conversation: { id: 'conv_9' } } });
    const text = 'y'.repeat(400_000);
    const end = `event: response.completed\n${chunk({ type: 'response.completed', response: { output: [text], usage: { input_tokens: 7, output_tokens: 9, input_tokens_details: { cached_tokens: 5 } } } })}`;
    const { reading } = pass(created + end, { kind: 'responses', filter: false, cuts: [0.3, 0.7] });
    expect(reading.facts()).toMatchObject({
      complete: true,
      issuedIds: ['resp_9', 'conv_9'],
      usage: { promptTokens: 7, cachedTokens: 5, completionTokens: 9 },
    });
  });
});

describe('refusals in a stream', () => {
  test.each<[string, string, boolean | null]>([
    ['the model’s own field', `${chunk({ choices: [{ delta: { refusal: 'No.' } }] })}${STOP}${DONE}`, true],
    [
      'a content filter',
      `${delta('a')}${chunk({ choices: [{ delta: {}, finish_reason: 'content_filter' }] })}${DONE}`,
      true,
    ],
    [
      'words in pieces',
      `${['I’m', ' sorry,', ' but I can', '’t help', ' with that.'].map(delta).join('')}${STOP}${DONE}`,
      true,
    ],
    ['an ordinary answer', `${['Sure', ', here', ' it is'].map(delta).join('')}${STOP}${DONE}`, false],
    ['a broken answer is not classified', delta('I cannot help with that.'), null],
  ])('%s', (_name, stream, refused) => {
    expect(pass(stream, { filter: false }).reading.facts().refused).toBe(refused);
  });
});
