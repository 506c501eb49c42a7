import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../clock.js';
import { errorText } from '../log.js';
import type { Log } from '../log.js';
import { Acknowledgements } from './acknowledgements.js';
import { Segment } from './segment.js';
import { entryOf, entryOfLine, itemJson } from './spool-entry.js';
import type { SpoolEntry, SpoolItem } from './spool-entry.js';
import { tombstoneOf } from './tombstone.js';

export interface SpoolOptions {
  readonly directory: string;
  readonly route: string;
  readonly process: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Lines kept in memory beside the disk, so that a collector which keeps up costs no reading. */
const CACHED_BYTES = 16 * 1024 * 1024;
const SEGMENT_BYTES = 1024 * 1024;

/**
 * What waits for the ledger, on disk until acknowledged: JSON lines in segments, numbered on over restarts.
 *
 * Each batch is followed by `fdatasync`, and an interval is reported only after it: intervals close at most once a
 * second and a sync costs milliseconds, so that what a collector was told is held outlives a power cut, not only a crash.
 * Concurrent batches share one sync.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #acknowledged: Acknowledgements;
  #entries: SpoolEntry[] = [];
  #segments: Segment[] = [];
  #current: Segment | null = null;
  #unwritten: SpoolEntry[] = [];
  #nextSequence = 1;
  #cachedBytes = 0;
  #oldestCached = 0;
  #writing: Promise<void> | null = null;

  private constructor(options: SpoolOptions, acknowledged: Acknowledgements) {
    this.#options = options;
    this.#acknowledged = acknowledged;
  }

  /** Opens the spool of a route with everything that earlier processes left in it. */
  static async open(options: SpoolOptions): Promise<Spool> {
    await mkdir(options.directory, { recursive: true });
    const acknowledged = await Acknowledgements.load(path.join(options.directory, 'acknowledged.json'));
    const spool = new Spool(options, acknowledged);
    await spool.#load();
    return spool;
  }

  get heldItems(): number {
    return this.#entries.length;
  }

  get heldBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Visible at once, durable when it resolves. Rejects when the disk refuses; the items stay and are tried again. */
  append(items: readonly SpoolItem[]): Promise<void> {
    for (const item of items) this.#add(item);
    return this.flush();
  }

  /** Resolves when everything appended so far is durable. */
  flush(): Promise<void> {
    if (this.#unwritten.length === 0) return this.#writing ?? Promise.resolve();
    if (this.#writing !== null) return this.#writing.then(() => this.flush());
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** Entries of a rollout behind a sequence, oldest first. */
  entriesAfter(rollout: string, sequence: number): readonly SpoolEntry[] {
    return this.#entries.filter((entry) => entry.rollout === rollout && entry.sequence > sequence);
  }

  /** Their lines, from memory or disk. */
  async lines(entries: readonly SpoolEntry[]): Promise<readonly string[]> {
    const texts = new Map<SpoolEntry, string>();
    const onDisk = new Map<Segment, { entry: SpoolEntry; offset: number; bytes: number }[]>();
    for (const entry of entries) {
      if (entry.line !== null) texts.set(entry, entry.line);
      else if (entry.place !== null) {
        const { segment, offset } = entry.place;
        onDisk.set(segment, [...(onDisk.get(segment) ?? []), { entry, offset, bytes: entry.bytes }]);
      }
    }
    for (const [segment, places] of onDisk) {
      const read = await segment.read(places);
      for (const [index, { entry }] of places.entries()) texts.set(entry, read[index] ?? '');
    }
    return entries.map((entry) => texts.get(entry) ?? '');
  }

  /** The ledger has committed everything of the rollout up to this sequence. */
  async acknowledge(rollout: string, sequence: number): Promise<void> {
    await this.flush().catch(() => undefined);
    const isDone = (entry: SpoolEntry): boolean => entry.rollout === rollout && entry.sequence <= sequence;
    this.#release(isDone);
    // A disk that refuses must not keep what nobody needs any more.
    if (this.#writing === null) this.#unwritten = this.#unwritten.filter((entry) => !isDone(entry));
    this.#acknowledged.set(rollout, sequence);
    const rollouts = new Set(this.#entries.map((entry) => entry.rollout));
    await this.#removeEmpty();
    await this.#acknowledged.save((held) => held === rollout || rollouts.has(held));
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#current?.close();
      this.#current = null;
    }
  }

  #add(item: SpoolItem): void {
    const entry = entryOf(this.#nextSequence, item);
    this.#nextSequence += 1;
    this.#entries.push(entry);
    this.#unwritten.push(entry);
    this.#cachedBytes += entry.bytes;
  }

  async #write(): Promise<void> {
    await this.#makeRoom();
    const batch = this.#unwritten;
    const segment = this.#writable(batch[0]?.sequence ?? this.#nextSequence);
    try {
      let offset = await segment.append(batch.map((entry) => `${entry.line ?? ''}\n`).join(''));
      for (const entry of batch) {
        entry.place = { segment, offset };
        offset += entry.bytes;
        segment.held += 1;
        segment.newestMs = Math.max(segment.newestMs, entry.atMs);
      }
    } catch (error) {
      // Part of a line may be there: what follows goes into a new file, where it cannot be glued to it.
      this.#current = null;
      await segment.close().catch(() => undefined);
      const message = `${this.#unwritten.length} items of evidence are held in memory only: ${errorText(error)}`;
      this.#options.log({ level: 'error', event: 'spool-not-written', message, route: this.#options.route });
      throw error;
    }
    this.#unwritten = this.#unwritten.slice(batch.length);
    this.#trimCache();
  }

  #writable(firstSequence: number): Segment {
    const limit = Math.min(SEGMENT_BYTES, this.#options.maxBytes / 8);
    if (this.#current !== null && this.#current.bytes < limit) return this.#current;
    void this.#current?.close();
    this.#current = Segment.named(this.#options.directory, firstSequence, this.#options.process);
    this.#segments.push(this.#current);
    return this.#current;
  }

  /**
   * Drops the oldest segments while there is too much: whole intervals, since a batch never spans two of them. Ratings
   * are kept, and what stands for dropped records as long as it does not crowd out the records that are left.
   */
  async #makeRoom(): Promise<void> {
    const { maxBytes, maxAgeMs, clock, log, route } = this.#options;
    const pending = this.#unwritten.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const segment of this.#segments.filter((candidate) => candidate !== this.#current)) {
      const tooOld = segment.newestMs < clock.wallMs() - maxAgeMs;
      if (!tooOld && this.heldBytes + pending <= maxBytes) return;
      const lost = this.#entries.filter((entry) => entry.place?.segment === segment);
      const lines = await this.lines(lost);
      let tombstoneBytes = 0;
      // No page may be made up between taking these out and putting back what is kept of them.
      this.#release((entry) => entry.place?.segment === segment);
      for (const entry of this.#entries) if (entry.tombstone) tombstoneBytes += entry.bytes;
      for (const [index, entry] of lost.entries()) {
        const json = itemJson(entry, lines[index] ?? '');
        if (entry.kind === 'record' && !entry.tombstone) this.#add(tombstoneOf(json));
        else if (entry.kind === 'rating') this.#add({ ...entry, json });
        else if (tombstoneBytes < maxBytes / 2) {
          tombstoneBytes += entry.bytes;
          this.#add({ ...entry, json });
        }
      }
      await this.#removeEmpty();
      const why = tooOld ? `older than ${maxAgeMs} ms` : `more than ${maxBytes} bytes`;
      const message = `${lost.length} items of evidence that nobody fetched were dropped (${why}); their intervals are incomplete`;
      log({ level: 'warn', event: 'spool-overflow', message, route });
    }
  }

  #release(isDone: (entry: SpoolEntry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => {
      if (!isDone(entry)) return true;
      if (entry.place !== null) entry.place.segment.held -= 1;
      if (entry.line !== null) this.#cachedBytes -= entry.bytes;
      return false;
    });
    this.#oldestCached = 0;
  }

  async #removeEmpty(): Promise<void> {
    const empty = this.#segments.filter((segment) => segment.held === 0 && segment !== this.#current);
    this.#segments = this.#segments.filter((segment) => !empty.includes(segment));
    await Promise.all(empty.map((segment) => segment.remove()));
  }

  #trimCache(): void {
    for (; this.#cachedBytes > CACHED_BYTES && this.#oldestCached < this.#entries.length; this.#oldestCached += 1) {
      const entry = this.#entries[this.#oldestCached];
      if (entry === undefined || entry.place === null) return;
      if (entry.line === null) continue;
      entry.line = null;
      this.#cachedBytes -= entry.bytes;
    }
  }

  async #load(): Promise<void> {
    const seen = new Set<number>();
    for (const segment of await Segment.list(this.#options.directory)) {
      for (const { text, offset } of await segment.lines()) {
        const entry = entryOfLine(text, segment, offset);
        if (entry === null) {
          const message = `${segment.file} holds a line that was cut off at byte ${offset}; it is left out`;
          this.#options.log({ level: 'warn', event: 'spool-line-broken', message, route: this.#options.route });
          continue;
        }
        this.#nextSequence = Math.max(this.#nextSequence, entry.sequence + 1);
        if (seen.has(entry.sequence) || entry.sequence <= this.#acknowledged.of(entry.rollout)) continue;
        seen.add(entry.sequence);
        this.#entries.push(entry);
        segment.held += 1;
        segment.newestMs = Math.max(segment.newestMs, entry.atMs);
      }
      this.#segments.push(segment);
    }
    this.#nextSequence = Math.max(this.#nextSequence, this.#acknowledged.highest + 1);
    this.#entries.sort((left, right) => left.sequence - right.sequence);
    await this.#removeEmpty();
  }
}
