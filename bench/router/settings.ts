import { join, resolve } from 'node:path';

/** Where peers are installed, programs compiled and configurations written; nothing outside of it is touched. */
export const BENCH_DIRECTORY = resolve('.sluice', 'bench');

export function inBench(...parts: string[]): string {
  return join(BENCH_DIRECTORY, ...parts);
}

/** What clients send as `model`. */
export const MODEL = 'support';
export const STABLE_SHARE = 0.95;

/** One line of what is measured, apart from who is measured. */
export interface Measurement {
  readonly name: MeasurementName;
  readonly title: string;
  readonly connections: number;
  readonly milliseconds: number;
  readonly request: 'short' | 'long' | 'stream' | 'first-token';
}

export type MeasurementName = 'saturated' | 'single' | 'first-token' | 'events' | 'long';

export const MEASUREMENTS: readonly Measurement[] = [
  { name: 'saturated', title: '32 connections', connections: 32, milliseconds: 1_000, request: 'short' },
  { name: 'single', title: 'one connection', connections: 1, milliseconds: 800, request: 'short' },
  { name: 'first-token', title: 'one stream', connections: 1, milliseconds: 800, request: 'first-token' },
  { name: 'events', title: '128 streams', connections: 128, milliseconds: 1_000, request: 'stream' },
  { name: 'long', title: 'prompts of 32 KB, 32 connections', connections: 32, milliseconds: 800, request: 'long' },
];

export const WARM_UP_MS = 250;
/** Before the first round. A router in Node took four seconds of load until its code was compiled for good. */
export const FIRST_WARM_UP_MS = 4_000;
export const IDLE_STREAMS = 2_000;
export const DEFAULT_ROUNDS = 6;
