/** How closely it is found, as a share of it. */
const PRECISION = 1e-6;

/**
 * The least positive number at which `holds`, to a millionth of it, where it holds from some number on; `upTo` bounds the
 * search, null when it does not hold there.
 */
export function leastWhere(holds: (value: number) => boolean, from: number, upTo = Infinity): number | null {
  let low = from;
  let high = Math.min(upTo, 2 * from);
  while (!holds(high)) {
    if (high >= upTo || high === Infinity) return null;
    low = high;
    high = Math.min(upTo, 2 * high);
  }
  while (high - low > PRECISION * high) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
