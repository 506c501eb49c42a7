import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memberValue, objectAt } from '../../src/router/body/json-members.js';
import type { StringNotes } from '../../src/router/body/json-members.js';

/** Texts as prompts have them, with many quotes and backslashes, short and beyond what is looked at byte by byte. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', '\\', 'a', '{', ']', ',', 'é', '\n'), maxLength: 60 }),
  fc.nat(400).map((length) => 'x'.repeat(length)),
  fc.nat(120).map((length) => `${'x'.repeat(length)}\\"`),
);
const value = fc.oneof(text, fc.integer(), fc.constant(null), fc.array(fc.dictionary(text, text), { maxLength: 4 }));
const body = fc.dictionary(text, value, { maxKeys: 6 });

describe('the members of an object', () => {
  test('are those that a parse finds, with their values', () => {
    fc.assert(
      fc.property(body, fc.constantFrom(undefined, 2), (object, space) => {
        const bytes = Buffer.from(JSON.stringify(object, null, space));
        const found = objectAt(bytes, 0);
        expect(found?.end).toBe(bytes.length);
        const read = found?.members.map((member) => [member.key, memberValue(bytes, member)]);
        expect(read).toEqual(Object.entries(object));
      }),
      { numRuns: 500 },
    );
  });

  test('are none of an object that is cut off', () => {
    fc.assert(
      fc.property(body, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (object, share) => {
        const bytes = Buffer.from(JSON.stringify(object));
        expect(objectAt(bytes.subarray(0, Math.floor(share * bytes.length)), 0)).toBeNull();
      }),
    );
  });
});

test('strings are noted by their length, at any depth, and never from within another string', () => {
  const object = { file_id: 'abc', deep: [{ file_id: 'd', text: 'a "file_id" of 9', '"file_i': 1 }], model: 'file_id' };
  const bytes = Buffer.from(JSON.stringify(object));
  const notes: StringNotes = { lengths: new Set([9]), starts: [] };
  objectAt(bytes, 0, notes);
  const noted = notes.starts.map((start) => bytes.toString('utf8', start, start + 9));
  expect(noted).toEqual(['"file_id"', '"file_id"', '"file_id"']);
});
