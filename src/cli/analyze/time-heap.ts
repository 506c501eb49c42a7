interface Entry<Value> {
  readonly at: number;
  readonly sequence: number;
  readonly value: Value;
}

/** Things to be taken in order of their time, Unix ms; of one time in the order in which they came. A binary heap. */
export class TimeHeap<Value> {
  readonly #entries: Entry<Value>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** Time of the earliest; Infinity when there is none. */
  get earliest(): number {
    return this.#entries[0]?.at ?? Infinity;
  }

  add(at: number, value: Value): void {
    const entries = this.#entries;
    const entry = { at, sequence: this.#sequence++, value };
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      entries[index] = parent;
      index = above;
    }
    entries[index] = entry;
  }

  /** Takes the earliest out. */
  take(): Value | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first?.value;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = entries[below];
      if (child === undefined) break;
      const right = entries[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        below++;
        child = right;
      }
      if (isBefore(last, child)) break;
      entries[index] = child;
      index = below;
    }
    entries[index] = last;
    return first.value;
  }
}

function isBefore(left: Entry<unknown>, right: Entry<unknown>): boolean {
  return left.at < right.at || (left.at === right.at && left.sequence < right.sequence);
}
