import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../fuzz/random.js';
import { chunked, jsonAnswer, post, startHarness } from './harness.js';
import type { Script } from './harness.js';
import { classesOf } from './metrics-reading.js';
import { exchange } from './raw-client.js';
import type { WireAnswer } from './raw-client.js';

const REQUESTS = 400;
const AT_ONCE = 16;
const FAULTY_SHARE = 0.2;
/** Far beyond what a good answer takes on a busy machine. */
const OWN_LIMIT_MS = 2_000;

const EVENT = 'data: {"choices":[{"index":0,"delta":{"content":"h\u00e9"}}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const STREAM = chunked([EVENT, EVENT, DONE]);

/** What an upstream does, what its client may see of that, and how it is counted. */
interface Kind {
  readonly script: (random: Random) => Script;
  readonly seen: (answer: WireAnswer) => boolean;
  readonly counted: string;
}

const sendsAnError = (status: number) => (answer: WireAnswer) => answer.status === status && answer.whole;
const brokeOrRefused = (answer: WireAnswer): boolean =>
  answer.status === 502 || (answer.status === 200 && !answer.whole);

const GOOD: Kind = {
  script:
    () =>
    ({ socket, body }) =>
      void socket.write(body.includes('"stream":true') ? STREAM : jsonAnswer()),
  seen: sendsAnError(200),
  counted: 'complete',
};

const FAULTS: readonly [Kind, ...Kind[]] = [
  { script: () => () => undefined, seen: sendsAnError(504), counted: 'timeout' },
  {
    script:
      () =>
      ({ socket }) =>
        void socket.write(STREAM.subarray(0, STREAM.length - 40)),
    seen: (answer) => answer.status === 200 && !answer.whole,
    counted: 'timeout',
  },
  {
    script: (random) => {
      const cut = random.below(STREAM.length);
      return ({ socket }) => void socket.write(STREAM.subarray(0, cut), () => socket.resetAndDestroy());
    },
    seen: brokeOrRefused,
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        socket.end(),
    seen: brokeOrRefused,
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        void socket.write(chunked([EVENT])),
    seen: sendsAnError(200),
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        void socket.write(chunked([EVENT, 'data: {"choi\n\n'])),
    seen: sendsAnError(200),
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a":1}'),
    seen: brokeOrRefused,
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        socket.end('no HTTP\r\n\r\n'),
    seen: brokeOrRefused,
    counted: 'broken',
  },
  {
    script:
      () =>
      ({ socket }) =>
        void socket.write(jsonAnswer('{"error":{}}', '500 Oops')),
    seen: sendsAnError(500),
    counted: 'model',
  },
  {
    script:
      () =>
      ({ socket }) =>
        void socket.write(jsonAnswer('{"error":{}}', '429 Busy', 'retry-after: 1\r\n')),
    seen: (answer) => answer.status === 429 && answer.headers['retry-after'] === '1',
    counted: 'rate-limit',
  },
];

test('of an upstream that fails one time in five, every client hears what happened to it, and each is counted so', async () => {
  const harness = await startHarness((config) => ({
    ...config,
    upstreams: new Map([...config.upstreams].map(([name, each]) => [name, { ...each, timeoutMs: OWN_LIMIT_MS }])),
  }));
  onTestFinished(() => harness.close());
  const scripts = new Map<string, Script>();
  harness.upstream.script((request) => {
    const mark = /"user":"(\d+)"/.exec(request.body.toString())?.[1] ?? '';
    scripts.get(mark)?.(request);
  });
  const expected: Record<string, number> = {};
  const wrong: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < REQUESTS; number = next++) {
      const random = new Random(7, number);
      const isFaulty = random.chance(FAULTY_SHARE);
      const kind = isFaulty ? random.pick(FAULTS) : GOOD;
      scripts.set(String(number), kind.script(random));
      expected[kind.counted] = (expected[kind.counted] ?? 0) + 1;
      const stream = isFaulty || random.chance(0.5);
      const [answer] = await exchange(
        harness.router.publicUrl,
        post(`{"model":"support","user":"${number}","stream":${stream}}`),
      );
      if (answer === undefined || !kind.seen(answer))
        wrong.push(`${number}: ${kind.counted} seen as ${JSON.stringify(answer)}`);
    }
  };
  const counted = await classesOf(harness.router, () => Promise.all(Array.from({ length: AT_ONCE }, lane)));
  expect(wrong).toEqual([]);
  expect(counted).toEqual(expected);
  // Nothing is left under way.
  await harness.router.drain();
});
