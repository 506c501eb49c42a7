/** Numbers and times as people read them. */
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Milliseconds as the two largest units that matter: `3d 4h`, `12s`, `0s`. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${String(count)}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? '0s' : parts.join(' ');
}

/** A fraction as a percentage with as many digits as it needs: `5%`, `0.52%`. */
export function formatShare(fraction: number): string {
  const percent = fraction * 100;
  return `${String(Number(percent.toPrecision(percent >= 10 ? 3 : 2)))}%`;
}

/** An e-value from its natural logarithm: `0.31`, `45`, `2e12`, `> 10^300`. */
export function formatEValue(logE: number): string {
  if (logE > 690) return '> 10^300';
  const value = Math.exp(logE);
  if (value >= 1e5) return value.toExponential(0).replace('e+', 'e');
  return String(Number(value.toPrecision(2)));
}

/** A rate below 1 as a percentage, a quantile as milliseconds. */
export function formatMeasure(guardrail: string, value: number | null): string {
  if (value === null) return '–';
  if (/^(latency|ttft)_/.test(guardrail)) return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;
  if (guardrail === 'tokens_per_response') return value.toFixed(0);
  return formatShare(value);
}

/** `[0.8, 1.4]`, with `∞` and `0` for open ends of an odds ratio; `–` when both are open: nothing is known yet. */
export function formatInterval(interval: readonly [number | null, number | null]): string {
  const [low, high] = interval;
  if (low === null && high === null) return '–';
  const show = (value: number): string => String(Number(value.toPrecision(2)));
  return `[${low === null ? '0' : show(low)}, ${high === null ? '∞' : show(high)}]`;
}

/** Pads by visible width: colour codes take no room. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stripVTControlCharacters(text).length));
}

/** Colour on a terminal alone: what goes into a pipe or a log is plain, in continuous integration too. NO_COLOR wins. */
export const colour = pc.createColors(process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '');
