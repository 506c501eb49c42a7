/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) of short ASCII texts, in plain JavaScript: signing is on the way of every request, and
 * node:crypto makes a native object for each. In a router under load that was 10 of 168 µs of CPU a request (micro benches
 * show a third of it); the two blocks of the key are hashed once here. What is signed is verified by node:crypto.
 */
export class ShortHmac {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  /** Padding included; grows with the longest text. */
  #message = new Uint8Array(4 * BLOCK_BYTES);

  /** The key, of any length that is no more than a block. Longer ones are the caller's to hash first, as RFC 2104 says. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`a key of ${key.length} bytes: at most ${BLOCK_BYTES}`);
    this.#inner = padded(key, 0x36);
    this.#outer = padded(key, 0x5c);
  }

  /** 32 bytes. `text` is ASCII. */
  digest(text: string): Buffer {
    const length = text.length;
    const size = (Math.floor((length + 8) / BLOCK_BYTES) + 1) * BLOCK_BYTES;
    if (size > this.#message.length) this.#message = new Uint8Array(2 * size);
    const message = this.#message;
    for (let at = 0; at < length; at += 1) message[at] = text.charCodeAt(at);
    const state = hashRest(this.#inner, message, length, size);
    writeState(state, message);
    return toBuffer(hashRest(this.#outer, message, HASH_BYTES, BLOCK_BYTES));
  }
}

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const ROUNDS = 64;

/** Fractions of the cube roots and of the square roots of the first primes. */
const CONSTANTS = new Int32Array(ROUNDS);
const START = new Int32Array(8);
fillConstants();
const schedule = new Int32Array(ROUNDS);

function fillConstants(): void {
  const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32);
  let found = 0;
  for (let candidate = 2; found < ROUNDS; candidate += 1) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) isPrime &&= candidate % divisor !== 0;
    if (!isPrime) continue;
    if (found < START.length) START[found] = fraction(Math.sqrt(candidate));
    CONSTANTS[found] = fraction(Math.cbrt(candidate));
    found += 1;
  }
}

/** The state after the block that the key fills. */
function padded(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad;
  const state = Int32Array.from(START);
  compress(state, block, 0);
  return state;
}

/** Goes on from the state after one block with `length` bytes, which it pads to `size`. */
function hashRest(begun: Int32Array, message: Uint8Array, length: number, size: number): Int32Array {
  message.fill(0, length, size);
  message[length] = 0x80;
  const bits = (BLOCK_BYTES + length) * 8;
  for (let byte = 0; byte < 4; byte += 1) message[size - 1 - byte] = (bits >>> (8 * byte)) & 0xff;
  const state = Int32Array.from(begun);
  for (let at = 0; at < size; at += BLOCK_BYTES) compress(state, message, at);
  return state;
}

function compress(state: Int32Array, message: Uint8Array, from: number): void {
  for (let index = 0; index < 16; index += 1) schedule[index] = wordAt(message, from + 4 * index);
  for (let index = 16; index < ROUNDS; index += 1) {
    const early = schedule[index - 15] ?? 0;
    const late = schedule[index - 2] ?? 0;
    const small = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const large = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    schedule[index] = ((schedule[index - 16] ?? 0) + small + (schedule[index - 7] ?? 0) + large) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < ROUNDS; index += 1) {
    const chosen = (e & f) ^ (~e & g);
    const mixed = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const first = (h + mixed + chosen + (CONSTANTS[index] ?? 0) + (schedule[index] ?? 0)) | 0;
    const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = ((state[index] ?? 0) + value) | 0;
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

function writeState(state: Int32Array, bytes: Uint8Array): void {
  for (let index = 0; index < state.length; index += 1) {
    const word = state[index] ?? 0;
    for (let byte = 0; byte < 4; byte += 1) bytes[4 * index + byte] = word >>> (24 - 8 * byte);
  }
}

function toBuffer(state: Int32Array): Buffer {
  const bytes = Buffer.allocUnsafe(HASH_BYTES);
  writeState(state, bytes);
  return bytes;
}
