/** Many short delays behind one timer: what thousands of answers in flight would otherwise each ask of the event loop. */

const SLOT_MS = 2;
const SLOTS = 1024;

/** A delay under way; `cancel` makes it nothing. */
export interface Delay {
  cancel(): void;
}

interface Entry extends Delay {
  /** Turns of the wheel still to wait. */
  turns: number;
  action: (() => void) | null;
}

/** Delays are kept to 2 ms and never end early. */
export class TimingWheel {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => []);
  #position = 0;
  /** Time of the slot at `#position`, monotonic ms. */
  #positionMs = performance.now();
  #pending = 0;
  #timer: NodeJS.Timeout | null = null;

  /** Runs `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): Delay {
    if (this.#pending === 0) this.#positionMs = performance.now();
    const behindMs = performance.now() - this.#positionMs;
    const steps = Math.max(1, Math.ceil((behindMs + delayMs) / SLOT_MS));
    const entry: Entry = {
      turns: Math.floor((steps - 1) / SLOTS),
      action,
      cancel: () => {
        if (entry.action === null) return;
        entry.action = null;
        this.#pending -= 1;
      },
    };
    this.#slots[(this.#position + steps) % SLOTS]?.push(entry);
    this.#pending += 1;
    this.#timer ??= setTimeout(this.#turn, SLOT_MS);
    return entry;
  }

  /** Forgets every delay. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending = 0;
    for (const slot of this.#slots) {
      for (const entry of slot) entry.action = null;
      slot.length = 0;
    }
  }

  readonly #turn = (): void => {
    this.#timer = null;
    const now = performance.now();
    while (this.#positionMs + SLOT_MS <= now) {
      this.#positionMs += SLOT_MS;
      this.#position = (this.#position + 1) % SLOTS;
      this.#runSlot();
    }
    if (this.#pending > 0) this.#timer ??= setTimeout(this.#turn, SLOT_MS);
  };

  #runSlot(): void {
    const slot = this.#slots[this.#position] ?? [];
    if (slot.length === 0) return;
    const due = slot.splice(0);
    for (const entry of due) {
      if (entry.action === null) continue;
      if (entry.turns > 0) {
        entry.turns -= 1;
        slot.push(entry);
        continue;
      }
      const { action } = entry;
      entry.action = null;
      this.#pending -= 1;
      action();
    }
  }
}
