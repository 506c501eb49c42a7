import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunked, post, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { classesOf } from './metrics-reading.js';
import { exchange } from './raw-client.js';
import type { WireAnswer } from './raw-client.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const CHAT = '{"model":"support","stream":true,"stream_options":{"include_usage":true}}';
const BARE = '{"model":"support","stream":true}';
const RESPONSES = '/v1/responses';

const ROLE = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';
const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"h\u00e9 \u{1f600} 北"}}]}\n\n';
const STOP = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}}\n\n';
const DONE = 'data: [DONE]\n\n';
const WHOLE = ROLE + TOKEN + STOP + USAGE + DONE;

async function stream(
  said: Buffer,
  body = CHAT,
  target?: string,
): Promise<{ answer: WireAnswer | undefined; classes: Record<string, number> }> {
  let answer: WireAnswer | undefined;
  harness.upstream.script(({ socket }) => socket.end(said));
  const counted = await classesOf(harness.router, async () => {
    [answer] = await exchange(harness.router.publicUrl, post(body, '', target));
  });
  return { answer, classes: counted };
}

/** Name, what the upstream says, what the client asks and of whom, and what it sees if that is something else. */
type Row = readonly [
  name: string,
  pieces: readonly (string | Buffer)[],
  body?: string,
  target?: string | undefined,
  visible?: string,
];

describe('a stream as its protocol has it', () => {
  const WHOLES: readonly Row[] = [
    ['of chat', [WHOLE]],
    ['event by event', [ROLE, TOKEN, STOP, USAGE, DONE]],
    ['byte by byte', Array.from(Buffer.from(WHOLE), (byte) => Buffer.from([byte]))],
    ['with CRLF', [WHOLE.replaceAll('\n', '\r\n')]],
    ['with CR alone', [WHOLE.replaceAll('\n', '\r')]],
    ['with pings', [': ping\n\n', ROLE, ': ping\n\n', TOKEN, STOP, DONE]],
    ['with names, ids and retries', [`retry: 10\n\nevent: chunk\nid: 1\n${TOKEN}`, STOP, DONE]],
    ['without the space after data:', [WHOLE.replaceAll('data: ', 'data:')]],
    ['with data on several lines', ['data: {"choices":\ndata: []}\n\n', DONE]],
    ['with a byte order mark', ['\ufeff', WHOLE]],
    ['whose last blank line is missing', [TOKEN, STOP, 'data: [DONE]']],
    [
      'with several choices',
      [TOKEN.replace('"index":0', '"index":1'), TOKEN, STOP.replace('"index":0', '"index":1'), STOP, DONE],
    ],
    [
      'with a tool call',
      [
        'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\\"usage\\": 1}"}}]}}]}\n\n',
        STOP,
        DONE,
      ],
    ],
    [
      'with an event of a megabyte',
      [`data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(1_200_000)}"}}]}\n\n`, STOP, DONE],
    ],
    ['of completions', ['data: {"choices":[{"text":"a"}]}\n\n', DONE], CHAT, '/v1/completions'],
    [
      'of responses',
      [
        'event: response.created\ndata: {"type":"response.created"}\n\n',
        'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
      ],
      BARE,
      RESPONSES,
    ],
    ['of responses, incomplete', ['data: {"type":"response.incomplete","response":{"id":"r"}}\n\n'], BARE, RESPONSES],
    ['of another kind', ['data: sound\n\n'], BARE, '/v1/audio/speech'],
    [
      'without the usage that only the router asked for',
      [ROLE, TOKEN, STOP, USAGE, DONE],
      BARE,
      undefined,
      ROLE + TOKEN + STOP + DONE,
    ],
    [
      'without that usage, byte by byte',
      Array.from(Buffer.from(WHOLE), (byte) => Buffer.from([byte])),
      BARE,
      undefined,
      ROLE + TOKEN + STOP + DONE,
    ],
    [
      'without that usage, with CR alone',
      [WHOLE.replaceAll('\n', '\r')],
      BARE,
      undefined,
      (ROLE + TOKEN + STOP + DONE).replaceAll('\n', '\r'),
    ],
  ];

  test.each(WHOLES.map((row) => ({ name: row[0], row })))('$name', async ({ row }) => {
    const [, pieces, body, target, visible] = row;
    const { answer, classes } = await stream(chunked(pieces), body, target);
    expect(answer).toMatchObject({ status: 200, whole: true });
    const expected = visible ?? Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString();
    expect(answer?.body.toString()).toBe(expected);
    expect(classes).toEqual({ complete: 1 });
  });
});

describe('a stream that is not what it should be', () => {
  const UNWHOLE: readonly Row[] = [
    ['without [DONE]', [TOKEN, STOP]],
    ['without any event', ['']],
    ['of pings alone', [': ping\n\n', ': ping\n\n']],
    ['with an error for its end', [TOKEN, 'data: {"error":{"message":"out of memory","code":500}}\n\n', DONE]],
    ['with an event called error', [TOKEN, 'event: error\ndata: {"message":"x"}\n\n', DONE]],
    ['with JSON that is cut off', [TOKEN, 'data: {"choices":[{"de\n\n']],
    ['that is no stream of events', ['<html>busy</html>']],
    ['of responses that failed', ['event: response.failed\ndata: {"type":"response.failed"}\n\n'], BARE, RESPONSES],
    ['of responses without an end', ['data: {"type":"response.output_text.delta","delta":"x"}\n\n'], BARE, RESPONSES],
  ];

  test.each(UNWHOLE.map((row) => ({ name: row[0], row })))('$name passes, and counts as broken', async ({ row }) => {
    const [, pieces, body, target] = row;
    const filled = pieces.filter((piece) => piece !== '');
    const { answer, classes } = await stream(chunked(filled), body, target);
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer?.body.toString()).toBe(filled.join(''));
    expect(classes).toEqual({ broken: 1 });
  });
});

describe('a stream that is cut at any byte', () => {
  const SAID = chunked([ROLE, TOKEN, STOP, USAGE, DONE]);
  /** Each border of the head and the framing, and a byte in each ten of the rest. */
  const CUTS = Array.from({ length: SAID.length }, (_, cut) => cut).filter(
    (cut) => cut % 11 === 0 || cut > SAID.length - 12,
  );

  test.each([
    ['closed', BARE],
    ['closed', CHAT],
    ['reset', BARE],
  ])('by being %s gives an error or a visible break, never a whole answer: %s', async (how, body) => {
    for (const cut of CUTS) {
      harness.upstream.script(({ socket }) => {
        socket.write(SAID.subarray(0, cut), () => {
          if (how === 'reset') socket.resetAndDestroy();
          else socket.destroy();
        });
      });
      const [answer] = await exchange(harness.router.publicUrl, post(body));
      const known = answer?.status === 502 || (answer?.status === 200 && !answer.whole);
      expect(known, `cut at ${cut}: ${JSON.stringify(answer?.body.toString())}`).toBe(true);
    }
  });

  test('a body of JSON: the same', async () => {
    const said = Buffer.from(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{"choices":[{"index":0,"message":{"content":"hello there"}}]}',
    );
    for (let cut = 0; cut < said.length - 1; cut += 3) {
      harness.upstream.script(({ socket }) => void socket.write(said.subarray(0, cut), () => socket.destroy()));
      const [answer] = await exchange(harness.router.publicUrl, post());
      expect(answer?.status === 502 || answer?.whole === false, `cut at ${cut}`).toBe(true);
    }
  });
});
