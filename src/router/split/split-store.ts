import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../plan/failures.js';
import type { Split } from '../../plan/split.js';
import { replaceFile } from '../atomic-file.js';
import { errorCode, errorText } from '../log.js';
import { parseSplit } from './split-schema.js';

/** What a restart needs to know of a route. */
export interface StoredSplit {
  readonly split: Split;
  readonly activatedAtMs: number;
  /** Unix ms; null = a resting split. */
  readonly leaseDeadlineWallMs: number | null;
  /** The lease was seen to run out: it stays so, whatever the wall clock says later. */
  readonly expired: boolean;
  /** `sluice.yaml` has named this resting split's upstream since: from then on the file decides again. */
  readonly adopted: boolean;
}

const storedSchema = z.object({
  split: z.unknown(),
  activatedAtMs: z.number(),
  leaseDeadlineWallMs: z.number().nullable(),
  expired: z.boolean(),
  adopted: z.boolean(),
});

/** One route's split on disk. Writes are in order, and a write that is overtaken by a newer one is not done twice. */
export class SplitStore {
  readonly #file: string;
  #latest: StoredSplit | null = null;
  #writing: Promise<void> | null = null;
  #queued: Promise<void> | null = null;

  constructor(directory: string, route: string) {
    this.#file = path.join(directory, `${encodeURIComponent(route)}.json`);
  }

  /** null when nothing was ever written. Throws `config-invalid` for a file that cannot be read as one. */
  async load(): Promise<StoredSplit | null> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw this.#unreadable(error);
    }
    try {
      const stored = storedSchema.parse(JSON.parse(text));
      return { ...stored, split: parseSplit(stored.split) };
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** Resolves when this state or a newer one is durable. */
  save(stored: StoredSplit): Promise<void> {
    this.#latest = stored;
    // The write under way may have taken an older state; the one after it takes the newest, for everyone who waits.
    this.#queued ??= this.#writeAfter(this.#writing);
    return this.#queued;
  }

  async #writeAfter(previous: Promise<void> | null): Promise<void> {
    await previous?.catch(() => undefined);
    await Promise.resolve();
    this.#writing = this.#queued;
    this.#queued = null;
    await mkdir(path.dirname(this.#file), { recursive: true });
    await replaceFile(this.#file, `${JSON.stringify(this.#latest)}\n`);
  }

  #unreadable(error: unknown): SluiceError {
    return new SluiceError(
      'config-invalid',
      `${this.#file} cannot be read (${errorText(error)}); move it away to start the route from sluice.yaml`,
      { cause: error },
    );
  }
}
