import { describe, expect, it } from 'vitest';
import { formatDuration, formatEValue, formatInterval, formatMeasure, formatShare, pad } from '../../src/cli/format.js';

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [999, '1s'],
    [61_000, '1m 1s'],
    [3 * 86_400_000 + 4 * 3_600_000 + 59_000, '3d 4h'],
    [-5, '0s'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatShare', () => {
  it.each([
    [0, '0%'],
    [0.05, '5%'],
    [0.025, '2.5%'],
    [0.00523, '0.52%'],
    [1, '100%'],
  ])('%d is %s', (fraction, text) => {
    expect(formatShare(fraction)).toBe(text);
  });
});

describe('formatEValue', () => {
  it.each([
    [0, '1'],
    [Math.log(20), '20'],
    [-1, '0.37'],
    [Math.log(2e12), '2e12'],
    [700, '> 10^300'],
  ])('exp(%d) is %s', (logE, text) => {
    expect(formatEValue(logE)).toBe(text);
  });
});

it('shows open ends of an interval', () => {
  expect(formatInterval([null, null])).toBe('–');
  expect(formatInterval([null, 2])).toBe('[0, 2]');
  expect(formatInterval([1.5, null])).toBe('[1.5, ∞]');
  expect(formatInterval([0.812, 1.4])).toBe('[0.81, 1.4]');
});

it('shows rates as shares and latencies in milliseconds', () => {
  expect(formatMeasure('error_rate', 0.012)).toBe('1.2%');
  expect(formatMeasure('latency_p95', 812.4)).toBe('812 ms');
  expect(formatMeasure('latency_p95', null)).toBe('–');
});

it('pads by what can be seen, not by colour codes', () => {
  expect(pad('\u001b[31mred\u001b[39m', 5)).toBe('\u001b[31mred\u001b[39m  ');
});
