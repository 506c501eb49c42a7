/** Request lines from a seed, for tests of `analyze`; the bench writes ten million of the same. */
import { writeFileSync } from 'node:fs';
import { HEALTHY, requestLines } from '../../bench/analyze/request-lines.mjs';

export { HEALTHY };

export const START_MS = Date.parse('2026-11-24T09:00:00.000Z');

type LineOptions = Parameters<typeof requestLines>[0];

/** Lines in order of `at`, 100 a second from `START_MS` on unless told. */
export function generateLines(options: Pick<LineOptions, 'stages'> & Partial<LineOptions>): string[] {
  return [...requestLines({ seed: 1, startMs: START_MS, perSecond: 100, units: 200, ...options })];
}

export function writeLines(path: string, lines: readonly string[]): void {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
}
