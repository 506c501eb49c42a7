import { describe, expect, it } from 'vitest';
import { nearest, suggestion } from '../../src/plan/suggestion.js';

describe('did you mean', () => {
  it.each([
    ['stagse', 'stages'],
    ['Candidate', 'candidate'],
    ['rout', 'route'],
    ['gaurdrails', 'guardrails'],
  ])('%s -> %s', (written, known) => {
    expect(nearest(written, ['route', 'candidate', 'stages', 'guardrails'])).toBe(known);
  });

  it('is silent when nothing is near', () => {
    expect(nearest('zebra', ['route', 'stages'])).toBeNull();
    expect(suggestion('zebra', ['route', 'stages'])).toBe('Use one of "route", "stages"');
    expect(suggestion('zebra', ['route'])).toBe('Use "route"');
    expect(suggestion('zebra', [])).toBe('There are none');
    expect(nearest('a', ['b'])).toBeNull();
  });
});
