import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { evaluate } from './evaluate-vector.js';
import { toInput } from './vector-input.js';
import type { VectorInput } from './vector-input.js';

describe('the vectors of the method', () => {
  const content: unknown = JSON.parse(readFileSync(new URL('vectors/statistics.json', import.meta.url), 'utf8'));
  const cases = toInput(content).objects('cases');

  it('are all there', () => {
    expect(cases).toHaveLength(45);
  });

  for (const vector of cases) {
    it(`${String(vector.raw('id'))}: ${String(vector.raw('oracle'))}`, () => {
      expect(differences(outcome(vector), vector.raw('expect'), vector.number('rel_tol'))).toEqual([]);
    });
  }
});

/** What the case gives, in the file's shape: an error is `{ error: message }`. */
function outcome(vector: VectorInput): unknown {
  try {
    return evaluate(String(vector.raw('fn')), vector.rawObject('input'));
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Where `actual` differs: numbers by more than tolerance · max(1, |expected|), everything else at all. */
function differences(actual: unknown, expected: unknown, tolerance: number, path = '$'): readonly string[] {
  if (typeof expected === 'number' && typeof actual === 'number') {
    const close = Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
    return close ? [] : [`${path}: ${actual}, not ${expected}`];
  }
  if (!isObject(expected) || !isObject(actual)) {
    return actual === expected ? [] : [`${path}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`];
  }
  const actualEntries = new Map<string, unknown>(Object.entries(actual));
  const expectedEntries = new Map<string, unknown>(Object.entries(expected));
  return [...new Set([...actualEntries.keys(), ...expectedEntries.keys()])].flatMap((key) =>
    differences(actualEntries.get(key), expectedEntries.get(key), tolerance, `${path}.${key}`),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
