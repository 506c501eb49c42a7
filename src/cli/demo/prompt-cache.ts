/** A prefix cache as inference servers have one: the least recently used prefix goes when it is full. */
export class PromptCache {
  readonly #capacity: number;
  readonly #prefixes = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** True when the prefix was there; it is there afterwards. */
  touch(prefix: string): boolean {
    const found = this.#prefixes.delete(prefix);
    this.#prefixes.add(prefix);
    if (this.#prefixes.size > this.#capacity) {
      const oldest = this.#prefixes.values().next();
      if (oldest.done !== true) this.#prefixes.delete(oldest.value);
    }
    return found;
  }

  clear(): void {
    this.#prefixes.clear();
  }
}
