import type { EvidencePage, EvidenceRecord, RatingRecord } from '../evidence/record.js';
import type { Clock } from './clock.js';
import { decodeCursor, encodeCursor } from './evidence-cursor.js';
import { errorText } from './log.js';
import type { Log } from './log.js';
import type { RouteMeter } from './meter/route-meter.js';
import type { RouteControl } from './split/route-control.js';
import { itemJson, ratingItem, recordItem } from './spool/spool-entry.js';
import type { SpoolEntry } from './spool/spool-entry.js';
import type { Spool } from './spool/spool.js';

/** One answer stays within this; a collector asks again while there is more. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** A request in flight for longer than this counts as failed for the hard stop, whatever stable's p99 says. */
const OVERDUE_AT_LEAST_MS = 5_000;
const OVERDUE_BY_P99 = 5;

export interface RouteEvidenceOptions {
  readonly route: string;
  readonly replica: string;
  readonly process: string;
  readonly control: Pick<RouteControl, 'active' | 'inForce' | 'noteExpiry'>;
  readonly meter: RouteMeter;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Log;
  /** Size of a page. @default 4 MiB */
  readonly pageBytes?: number;
}

/** The evidence of one route on its way from the meter over the disk to whoever collects it. */
export class RouteEvidence {
  readonly #options: RouteEvidenceOptions;

  constructor(options: RouteEvidenceOptions) {
    this.#options = options;
  }

  /** Closes the intervals whose time is over. Resolves when they are on disk; a disk that refuses is logged and tried again. */
  async sweep(): Promise<void> {
    const { meter, clock, control } = this.#options;
    await Promise.all([control.noteExpiry(), this.#file(meter.close(clock.wallMs()))]);
  }

  /** The process ends: what has finished in it is complete. */
  async closeAll(): Promise<void> {
    await this.#file(this.#options.meter.closeAll());
  }

  /** Durable when it resolves. */
  async rate(rating: RatingRecord): Promise<void> {
    await this.#options.spool.append([ratingItem(rating)]);
  }

  /** The JSON of an `EvidencePage` with what is held of a rollout behind the cursor; an unknown cursor restarts at the oldest. */
  async page(rollout: string, cursor: string | null): Promise<string> {
    const { clock, meter, process, replica, spool } = this.#options;
    const sweeping = this.sweep();
    const closedThrough = meter.closedThroughMs;
    await sweeping;
    const from = cursor === null ? null : decodeCursor(cursor);
    const known = from !== null && from.process === process && from.rollout === rollout;
    const after = known ? from.sequence : 0;
    const waiting = spool.entriesAfter(rollout, after);
    const taken = fitting(waiting, this.#options.pageBytes ?? PAGE_BYTES);
    const texts = await spool.lines(taken);
    const json = (kind: SpoolEntry['kind']): string =>
      taken.flatMap((entry, index) => (entry.kind === kind ? [itemJson(entry, texts[index] ?? '')] : [])).join(',');
    const head = {
      replica,
      process,
      now: clock.wallMs(),
      closedThrough: delivered(closedThrough, waiting.slice(taken.length)),
      open: this.#open(),
      cursor: encodeCursor({ process, rollout, sequence: taken.at(-1)?.sequence ?? after }),
      more: taken.length < waiting.length,
    } satisfies Omit<EvidencePage, 'records' | 'ratings'>;
    // Lines are JSON already: they are put in as they are on disk.
    return `${JSON.stringify(head).slice(0, -1)},"records":[${json('record')}],"ratings":[${json('rating')}]}`;
  }

  /** False for a cursor of another process: nothing is taken as read that this one did not deliver. */
  async acknowledge(cursor: string): Promise<boolean> {
    const place = decodeCursor(cursor);
    if (place === null || place.process !== this.#options.process) return false;
    await this.#options.spool.acknowledge(place.rollout, place.sequence);
    return true;
  }

  #open(): EvidencePage['open'] {
    const { control, meter, clock } = this.#options;
    const { split, lease } = control.active;
    const none = { started: 0, failed: 0 };
    const overdueMs = Math.max(OVERDUE_AT_LEAST_MS, OVERDUE_BY_P99 * (meter.recentStable.latencyP99Ms() ?? 0));
    return {
      generation: split.generation,
      rollout: split.rollout,
      inForce: control.inForce,
      leaseExpiresAt: lease?.deadlineWallMs ?? null,
      recent: meter.current?.recentStarts(clock.monotonicMs(), overdueMs) ?? { stable: none, candidate: none },
      mirror: meter.current?.mirrored ?? { chosen: 0, dropped: 0, answered: 0 },
    };
  }

  async #file(records: readonly EvidenceRecord[]): Promise<void> {
    try {
      await this.#options.spool.append(records.map(recordItem));
    } catch (error) {
      this.#options.log({
        level: 'error',
        event: 'evidence-not-saved',
        message: errorText(error),
        route: this.#options.route,
      });
    }
  }
}

function fitting(waiting: readonly SpoolEntry[], pageBytes: number): readonly SpoolEntry[] {
  let bytes = 0;
  const end = waiting.findIndex((entry, index) => {
    bytes += entry.bytes;
    return index > 0 && bytes > pageBytes;
  });
  return end < 0 ? waiting : waiting.slice(0, end);
}

/** What is still to come must not be taken as delivered. */
function delivered(closedThrough: number, rest: readonly SpoolEntry[]): number {
  return rest.reduce(
    (through, entry) => (entry.kind === 'record' ? Math.min(through, entry.atMs - 1) : through),
    closedThrough,
  );
}
