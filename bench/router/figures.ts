/** Middle value and what lies around it. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** null without a value. The median of an even number of values is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)];
  const high = sorted[Math.ceil(middle)];
  const least = sorted[0];
  const most = sorted.at(-1);
  if (low === undefined || high === undefined || least === undefined || most === undefined) return null;
  return { median: (low + high) / 2, least, most, count: sorted.length };
}

/** One value for each round; null = that round is void. */
export type ByRound = readonly (number | null)[];

/**
 * Both of a round were measured within seconds of each other, on a machine that changes over minutes: what they have to
 * do with each other is said by round, and only then summed up. Rounds in which one of them is void are left out.
 */
export function paired(ours: ByRound, theirs: ByRound, combine: (ours: number, theirs: number) => number): number[] {
  const results: number[] = [];
  for (const [round, value] of ours.entries()) {
    const other = theirs[round] ?? null;
    if (value !== null && other !== null) results.push(combine(value, other));
  }
  return results;
}

/** Ours ÷ theirs in each round. A round in which theirs is 0 says nothing. */
export function pairedRatios(ours: ByRound, theirs: ByRound): number[] {
  return paired(ours, theirs, (value, other) => value / other).filter((ratio) => Number.isFinite(ratio));
}

/** Ours − theirs in each round. */
export function pairedDifferences(ours: ByRound, theirs: ByRound): number[] {
  return paired(ours, theirs, (value, other) => value - other);
}

/** In a new order that depends on the seed alone (Fisher & Yates; the numbers are mulberry32's). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const order: { readonly item: T; readonly at: number }[] = items.map((item) => ({ item, at: random() }));
  return order.toSorted((left, right) => left.at - right.at).map(({ item }) => item);
}
