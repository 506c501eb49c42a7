/** What a collector leaves to the next one: in its heartbeats for another worker, in memory for this one. */
import { z } from 'zod';

const bookmarkSchema = z.object({
  /** By address: evidence up to here is committed. */
  cursors: z.record(z.string(), z.string()),
  /** By address: when the member's lease ends at the latest, Unix ms by its own clock. */
  leaseEndsAt: z.record(z.string(), z.number()),
  /** When a request was last known to start, Unix ms by the routers' clocks. */
  lastStartAt: z.number().nullable(),
});

export type Bookmark = z.infer<typeof bookmarkSchema>;

export const EMPTY_BOOKMARK: Bookmark = { cursors: {}, leaseEndsAt: {}, lastStartAt: null };

/** The bookmark of a heartbeat; null when there is none that this version can read: the collector then starts over. */
export function readBookmark(details: unknown): Bookmark | null {
  const parsed = bookmarkSchema.safeParse(details);
  return parsed.success ? parsed.data : null;
}
