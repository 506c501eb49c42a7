import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ShortHmac } from '../../src/router/short-hmac.js';

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 600 });
const key = fc.uint8Array({ maxLength: 64 });

test('is what node:crypto says, whatever the key and the text, one after the other', () => {
  fc.assert(
    fc.property(key, fc.array(ascii, { minLength: 1, maxLength: 4 }), (secret, texts) => {
      const hmac = new ShortHmac(secret);
      for (const text of texts) {
        expect(hmac.digest(text).toString('hex')).toBe(createHmac('sha256', secret).update(text).digest('hex'));
      }
    }),
    { numRuns: 500 },
  );
});

test('is what node:crypto says at every length around the ends of blocks', () => {
  const secret = Buffer.from('a key');
  const hmac = new ShortHmac(secret);
  for (let length = 0; length <= 200; length += 1) {
    const text = 'x'.repeat(length);
    expect(hmac.digest(text).toString('hex')).toBe(createHmac('sha256', secret).update(text).digest('hex'));
  }
});

test('takes no key beyond a block', () => {
  expect(() => new ShortHmac(new Uint8Array(65))).toThrow(RangeError);
});
