/** A ramp over users who stay where they are put and resemble themselves, as records. */
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import type { Variant } from '../../../src/plan/types.js';
import { recordOf } from './records.js';
import type { Random } from './random.js';

const RAMP = [
  { stage: 'canary-5', share: 0.05 },
  { stage: 'canary-25', share: 0.25 },
  { stage: 'canary-50', share: 0.5 },
] as const;

export interface StickyRamp {
  readonly users: number;
  /** Intervals of each stage, and requests of each. */
  readonly intervals: number;
  readonly requests: number;
  /** Mean failure rate, and the correlation of two requests of one user (intraclass). */
  readonly rate: number;
  readonly correlation: number;
}

interface User {
  /** Where the user's hash falls: on the candidate below its share. */
  readonly point: number;
  readonly bucket: number;
  readonly rate: number;
}

/** A tenth of the users fail often, the others seldom, on either variant alike. */
const OFTEN = 0.1;

/** Half of the requests come from the busiest tenth of the users. */
const BUSY_USERS = 0.1;
const BUSY_REQUESTS = 0.5;

/** The records of each interval end, in order. */
export function* stickyRamp(ramp: StickyRamp, random: Random): Generator<readonly EvidenceRecord[]> {
  const users = drawUsers(ramp, random);
  let second = 0;
  for (const [index, { stage, share }] of RAMP.entries()) {
    for (let interval = 0; interval < ramp.intervals; interval++, second++) {
      const tallies = { stable: tally(), candidate: tally() };
      for (let request = 0; request < ramp.requests; request++) {
        const isBusy = random.happens(BUSY_REQUESTS);
        const user = users[Math.floor(random.uniform() * (isBusy ? BUSY_USERS : 1) * users.length)];
        if (!user) continue;
        const { trials, events } = tallies[user.point < share ? 'candidate' : 'stable'];
        trials[user.bucket] = (trials[user.bucket] ?? 0) + 1;
        if (random.happens(user.rate)) events[user.bucket] = (events[user.bucket] ?? 0) + 1;
      }
      const place = { stage, generation: index + 1, second };
      yield (['stable', 'candidate'] as const).map((variant: Variant) => {
        const { trials, events } = tallies[variant];
        const counts = { trials: sum(trials), errors: sum(events) };
        return recordOf(variant, place, counts, { buckets: { error_rate: { trials, events } } });
      });
    }
  }
}

/** Two rates with the mean and the variance correlation · rate · (1 − rate). */
function drawUsers({ users, rate, correlation }: StickyRamp, random: Random): readonly User[] {
  const apart = Math.sqrt((correlation * rate * (1 - rate)) / (OFTEN * (1 - OFTEN)));
  const seldom = rate - OFTEN * apart;
  return Array.from({ length: users }, () => ({
    point: random.uniform(),
    bucket: Math.floor(64 * random.uniform()),
    rate: random.happens(OFTEN) ? seldom + apart : seldom,
  }));
}

function tally(): { readonly trials: Record<string, number>; readonly events: Record<string, number> } {
  return { trials: {}, events: {} };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
