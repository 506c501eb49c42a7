/** "Did you mean": the nearest of the words that would have been right. */

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours each count 1. */
function distance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1])
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}

/** The known word nearest to `written`, when it is near enough for a slip of the pen; else null. */
export function nearest(written: string, known: Iterable<string>): string | null {
  const text = written.slice(0, 64).toLowerCase();
  let best: string | null = null;
  let bestDistance = (text.length < 3 ? 0 : Math.max(1, Math.floor(text.length / 3))) + 1;
  for (const word of known) {
    const far = distance(text, word.toLowerCase());
    if (far < bestDistance) {
      best = word;
      bestDistance = far;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or the words there are, or nothing when there are none. */
export function suggestion(written: unknown, known: readonly string[]): string {
  const near = typeof written === 'string' ? nearest(written, known) : null;
  if (near !== null) return `Did you mean "${near}"?`;
  if (known.length === 0) return 'There are none';
  return `Use ${choices(known)}`;
}

/** `"x"`, or `one of "x", "y"`. */
export function choices(words: readonly string[]): string {
  return `${words.length === 1 ? '' : 'one of '}${words.map((word) => JSON.stringify(word)).join(', ')}`;
}
