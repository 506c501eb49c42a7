/** Writing one split to many members at once, and what came of it. */
import type { Member, TrafficBackend, WriteOutcome } from '../src/backends/traffic-backend.js';
import { FAILURES, SluiceError } from '../src/plan/failures.js';
import type { RouteName } from '../src/plan/ids.js';
import type { Split } from '../src/plan/split.js';

export interface MemberWrite {
  readonly member: Member;
  readonly outcome: WriteOutcome | { readonly kind: 'failed'; readonly error: SluiceError };
}

/** Writes to every member in parallel; a member's failure is its own. Rejects only when `signal` aborts. */
export async function writeToMembers(
  backend: TrafficBackend,
  members: readonly Member[],
  route: RouteName,
  split: Split,
  takeOver: { readonly reason: string } | null,
  signal: AbortSignal,
): Promise<readonly MemberWrite[]> {
  return Promise.all(
    members.map(async (member): Promise<MemberWrite> => {
      try {
        const options = takeOver === null ? {} : { takeOver };
        return { member, outcome: await backend.writeSplit(member, route, split, options, signal) };
      } catch (error) {
        signal.throwIfAborted();
        return { member, outcome: { kind: 'failed', error: asSluiceError(member, error) } };
      }
    }),
  );
}

/** The highest generation that any answer showed; 0 when none did. */
export function highestOf(writes: readonly MemberWrite[]): number {
  return Math.max(
    0,
    ...writes.map(({ outcome }) => {
      switch (outcome.kind) {
        case 'confirmed':
          return outcome.view.split.generation;
        case 'stale':
        case 'owned':
          return outcome.current.split.generation;
        case 'failed':
          return 0;
      }
    }),
  );
}

/** A backend's error as it is, anything else as a member that answered nonsense. */
export function asSluiceError(member: Member, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new SluiceError('router-answer', `router ${member.address}: ${reason}`, { cause: error });
}

/** Of several failures the one that no retry mends, else the first. */
export function worstOf(errors: readonly SluiceError[]): SluiceError | null {
  return errors.find((error) => !FAILURES[error.code].retryable) ?? errors[0] ?? null;
}
