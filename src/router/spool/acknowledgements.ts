import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorCode } from '../log.js';

const fileSchema = z.object({ acknowledged: z.record(z.string(), z.number()), highest: z.number() });

/**
 * How far each rollout's items have been acknowledged. Losing this file costs a second delivery, which the ledger takes
 * as the first one: it is replaced whole, but not synced.
 */
export class Acknowledgements {
  readonly #file: string;
  #acknowledged: Map<string, number>;
  /** Numbers are never given twice, even when everything has been acknowledged and deleted. */
  #highest: number;

  private constructor(file: string, acknowledged: Map<string, number>, highest: number) {
    this.#file = file;
    this.#acknowledged = acknowledged;
    this.#highest = highest;
  }

  static async load(file: string): Promise<Acknowledgements> {
    try {
      const { acknowledged, highest } = fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
      return new Acknowledgements(file, new Map(Object.entries(acknowledged)), highest);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) {
        return new Acknowledgements(file, new Map(), 0);
      }
      throw error;
    }
  }

  get highest(): number {
    return this.#highest;
  }

  of(rollout: string): number {
    return this.#acknowledged.get(rollout) ?? 0;
  }

  set(rollout: string, sequence: number): void {
    this.#acknowledged.set(rollout, Math.max(this.of(rollout), sequence));
    this.#highest = Math.max(this.#highest, sequence);
  }

  /** Rollouts of which nothing is held are forgotten. */
  async save(isHeld: (rollout: string) => boolean): Promise<void> {
    this.#acknowledged = new Map([...this.#acknowledged].filter(([rollout]) => isHeld(rollout)));
    const content = JSON.stringify({ acknowledged: Object.fromEntries(this.#acknowledged), highest: this.#highest });
    await writeFile(`${this.#file}.new`, content);
    await rename(`${this.#file}.new`, this.#file);
  }
}
