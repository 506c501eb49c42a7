import xxhash from 'xxhash-wasm';
import type { Variant } from '../plan/types.js';

/** XXH64 with seed 0 of the UTF-8 bytes of a text. */
export type Hash = (text: string) => bigint;

const TWO_TO_53 = 2 ** 53;
const BUCKETS = 64n;
const LOW_32_BITS = 0xffff_ffffn;

/** Compiles the hash; once per process. */
export async function loadHash(): Promise<Hash> {
  const api = await xxhash();
  return (text) => api.h64(text, 0n);
}

/**
 * Where a unit stands on [0, 1): the upper 53 bits of XXH64(salt + "\0" + unit, seed 0) ÷ 2^53, exact in a double.
 * A unit's point depends on nothing else, so that growing a weight only adds units to the candidate.
 */
export function splitPoint(hash: Hash, salt: string, unit: string): number {
  return Number(hash(`${salt}\0${unit}`) >> 11n) / TWO_TO_53;
}

/** The candidate takes the points below its weight (0…1). */
export function chooseVariant(point: number, candidateWeight: number): Variant {
  return point < candidateWeight ? 'candidate' : 'stable';
}

/** Where a unit stands for mirroring: salted apart, so that who is mirrored says nothing about who is served by whom. */
export function mirrorPoint(hash: Hash, salt: string, unit: string): number {
  return splitPoint(hash, `${salt}\0mirror`, unit);
}

/**
 * By which a unit is sampled for the sample ratio: salted, so that a reader of the ledger cannot follow a person from one
 * rollout to the next, and apart from the points above, so that who is counted says nothing about who is served by whom.
 */
export function sampleHash(hash: Hash, salt: string, unit: string): bigint {
  return hash(`${salt}\0sample\0${unit}`);
}

/** What the meter knows of a unit: no salt of a rollout, so that it is independent of the assignment. */
export interface UnitMark {
  /** 0…63, for the design effect of units that send many requests (statistics.md §8.2). */
  readonly bucket: number;
  /** Two 32-bit hashes for the set of units seen. */
  readonly low: number;
  readonly high: number;
}

export function markUnit(hash: Hash, unit: string): UnitMark {
  const value = hash(`sluice-unit\0${unit}`);
  return { bucket: Number(value % BUCKETS), low: Number((value >> 6n) & LOW_32_BITS), high: Number(value >> 32n) };
}
