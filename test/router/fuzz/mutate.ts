import type { Random } from './random.js';

/** What parsers stumble over. */
const MORSELS = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  '%',
  '%00',
  '%2e%2e/',
  '../',
  '//',
  '\xff',
  '\xc3',
  '0',
  '-1',
  '99999999999999999999',
  '1e309',
  'null',
  '0x',
  'chunked',
  'transfer-encoding: chunked\r\n',
  'content-length: 3\r\n',
  'content-length: 0\r\n',
  'host: x\r\n',
  'connection: close, x-a\r\n',
  'expect: 100-continue\r\n',
  'x-sluice-route: support\r\n',
  'content-encoding: br\r\n',
  'content-type: multipart/form-data; boundary=\r\n',
  'HTTP/1.0',
  'http://h/',
  '__proto__',
  '"model":',
  '\u{1f600}',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'CONNECT h:1 HTTP/1.1\r\n\r\n',
] as const;

/** The bytes changed in up to six places. */
export function mutate(seeds: readonly [Buffer, ...Buffer[]], random: Random): Buffer {
  if (random.chance(0.05)) return random.bytes(random.below(400));
  let bytes = random.pick(seeds);
  for (let left = random.below(7); left > 0; left -= 1) bytes = change(bytes, seeds, random);
  return bytes;
}

function change(bytes: Buffer, seeds: readonly [Buffer, ...Buffer[]], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(random.chance(0.2) ? 200 : 8));
  const before = bytes.subarray(0, at);
  switch (random.below(8)) {
    case 0:
      return Buffer.concat([before, random.bytes(1), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, bytes.subarray(end)]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at)]);
    case 3:
      return before;
    case 4: {
      // The end of another request, or all of it: pipelined.
      const other = random.pick(seeds);
      return random.chance(0.5)
        ? Buffer.concat([bytes, other])
        : Buffer.concat([before, other.subarray(random.below(other.length))]);
    }
    case 5:
      return Buffer.concat([before, random.bytes(random.below(20)), bytes.subarray(at)]);
    default:
      return Buffer.concat([before, Buffer.from(random.pick(MORSELS), 'latin1'), bytes.subarray(at)]);
  }
}

/** The bytes cut at up to five places. */
export function pieces(bytes: Buffer, random: Random): readonly Buffer[] {
  const cuts = Array.from({ length: random.below(6) }, () => random.below(bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}
