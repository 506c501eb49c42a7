import { open, readdir, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { syncDirectory } from '../atomic-file.js';

const SUFFIX = '.jsonl';
const LINE_FEED = 0x0a;

/** A file of the spool: JSON lines, only ever appended to, deleted as a whole. */
export class Segment {
  readonly file: string;
  bytes = 0;
  /** Items in it that nobody has acknowledged. */
  held = 0;
  /** Time of its newest item, Unix ms. */
  newestMs = 0;
  #handle: FileHandle | null = null;

  constructor(file: string) {
    this.file = file;
  }

  static named(directory: string, firstSequence: number, process: string): Segment {
    // Sorts by age; the process keeps two that began at the same number apart.
    return new Segment(path.join(directory, `${String(firstSequence).padStart(15, '0')}-${process}${SUFFIX}`));
  }

  /** The segments of a directory, oldest first. */
  static async list(directory: string): Promise<Segment[]> {
    const names = await readdir(directory);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .toSorted()
      .map((name) => new Segment(path.join(directory, name)));
  }

  /** Writes text and waits until a power cut cannot take it. Returns the offset at which it begins. */
  async append(text: string): Promise<number> {
    if (this.#handle === null) {
      this.#handle = await open(this.file, 'a', 0o600);
      await syncDirectory(path.dirname(this.file));
    }
    const offset = this.bytes;
    await this.#handle.appendFile(text);
    this.bytes += Buffer.byteLength(text);
    await this.#handle.datasync();
    return offset;
  }

  /** Each line with its offset; the last one may be cut off. */
  async lines(): Promise<readonly { readonly text: string; readonly offset: number }[]> {
    const content = await readFile(this.file);
    this.bytes = content.length;
    const lines: { text: string; offset: number }[] = [];
    let start = 0;
    for (let end = content.indexOf(LINE_FEED); end >= 0; end = content.indexOf(LINE_FEED, start)) {
      lines.push({ text: content.toString('utf8', start, end), offset: start });
      start = end + 1;
    }
    if (start < content.length) lines.push({ text: content.toString('utf8', start), offset: start });
    return lines;
  }

  /** The lines at the given places, read in one go with one handle. */
  async read(places: readonly { readonly offset: number; readonly bytes: number }[]): Promise<readonly string[]> {
    const handle = await open(this.file, 'r');
    try {
      const texts: string[] = [];
      for (const { offset, bytes } of places) {
        const buffer = Buffer.alloc(bytes - 1);
        await handle.read(buffer, 0, buffer.length, offset);
        texts.push(buffer.toString('utf8'));
      }
      return texts;
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.file, { force: true });
  }
}
