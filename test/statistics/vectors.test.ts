import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { evaluate } from './evaluate-vector.js';
import { toInput } from './vector-input.js';

/** The functions that the method lists for a vector file; the file at hand has cases of most. */
const NAMES = [
  'tableProfile offsets lognormalWeights logE confidenceSequence restartMixture signProfile cutsTables excessLogE',
  'srmLogE bucket shiftForRatio quantileIndex exceedanceTable thresholdTracker bucketVariance designEffect',
  'scoreDesignEffect logRatioStat gaussianLogE robbinsOneSided robbinsTwoSided klBernoulli klTwoSample crossingProb',
  'natsForPower plan oddsRatioFromRatio globalLogE closedAverage eBH decide absoluteMarginLogE growthbookRho asympCS',
  'howardRamdasQuantilePValue fixedSampleNTreatment expectedEValueUnderNull',
].flatMap((line) => line.split(' '));

describe('the vectors of the method', () => {
  const content: unknown = JSON.parse(readFileSync(new URL('vectors/statistics.json', import.meta.url), 'utf8'));
  const cases = toInput(content).objects('cases');

  it('are all there', () => {
    expect(cases).toHaveLength(45);
  });

  it.each(NAMES)('may hold cases of %s', (name) => {
    expect(outcome(name, {})).not.toEqual({ error: `no function of the method is called ${name}` });
  });

  // Functions without a case in the file; the expectations come from their definitions.
  it.each([
    ['exceedanceTable', { t: { 110: 7, 111: 3 }, c: { 100: 40, 101: 8 }, index: 100, shift: 10 }, [3, 10, 8, 48]],
    ['designEffect', { n: [10, 10], s: [10, 0] }, 20],
    ['closedAverage', { logE: [5, 0], a: [0.5, 0.5] }, [0]],
    ['closedAverage', { logE: { p95: 5, error: 0 }, a: { error: 0.5, p95: 0.5 } }, ['p95']],
    ['eBH', { logE: [5, 0, 5], alpha: 0.05 }, [0, 2]],
    ['confidenceSequence', { tables: [], alpha: 0.05 }, [null, null]],
    ['confidenceSequence', { theta: [-1, 0, 1, 2], ell: [-90, 0, -2, -90], alpha: 0.05 }, [-1, 2]],
    ['logE', { tables: [], theta0: 0, side: 'two', tol: 0.1 }, 0],
    ['logE', { theta: [0, 0.02], ell: [0, 0.7], theta0: 0, dMax: 0.02 }, 0.7],
  ])('runs %s %o', (name, input, expected) => {
    expect(differences(outcome(name, input), expected, 1e-12)).toEqual([]);
  });

  for (const vector of cases) {
    it(`${String(vector.raw('id'))}: ${String(vector.raw('oracle'))}`, () => {
      const result = outcome(String(vector.raw('fn')), vector.rawObject('input'));
      expect(differences(result, vector.raw('expect'), vector.number('rel_tol'))).toEqual([]);
    });
  }
});

/** What the case gives, in the file's shape: an error is `{ error: message }`. */
function outcome(name: string, input: object): unknown {
  try {
    return evaluate(name, input);
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
