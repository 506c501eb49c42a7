import { stickyDesignEffect } from '../../src/statistics/design-effect.js';
import type { SegmentBuckets } from '../../src/statistics/design-effect.js';
import { expit, logit } from '../../src/statistics/odds-ratio.js';
import { restartMixture } from '../../src/statistics/restart-mixture.js';
import { discountedProfile } from '../../src/statistics/table-profile.js';
import type { Profile } from '../../src/statistics/table-profile.js';
import { anyIncrease } from './methods.js';
import { betaDraw } from './sampling/beta.js';
import type { Random } from './sampling/random.js';

export interface StickySetting {
  readonly name: string;
  /** Correlation of two requests of one user (intraclass). */
  readonly correlation: number;
  /** Log odds ratio of the candidate, for every user. */
  readonly effect: number;
}

export const STICKY_SETTINGS: readonly StickySetting[] = [
  { name: 'no difference, users alike (correlation 0.0005)', correlation: 0.0005, effect: 0 },
  { name: 'no difference, correlation 0.10', correlation: 0.1, effect: 0 },
  { name: 'no difference, correlation 0.30', correlation: 0.3, effect: 0 },
  { name: 'odds × 1.5, correlation 0.10', correlation: 0.1, effect: Math.log(1.5) },
];

/** The largest ln E that a run reached: it stops at α if that is at least −ln α. */
export interface StickyOutcome {
  readonly naive: number;
  readonly corrected: number;
  readonly finalDesignEffect: number;
}

const RATE = 0.05;
const USERS = 2000;
const BUCKETS = 64;
const STAGE_SHARES = [0.05, 0.25, 0.5] as const;
const LOOKS_PER_STAGE = 80;
const REQUESTS_PER_LOOK = 100;
const SHARES = STAGE_SHARES.map(() => 1 / STAGE_SHARES.length);

/** Bucket counts that grow. */
interface GrowingSegment extends SegmentBuckets {
  readonly candidate: { readonly trials: number[]; readonly events: number[] };
  readonly stable: { readonly trials: number[]; readonly events: number[] };
}

/**
 * A ramp with users who stay where they are put and resemble themselves: about twelve requests each, a rate of their
 * own. The ramp moves users from stable to the candidate; all their requests of one interval fall into one table.
 */
export class StickySimulation {
  private readonly setting: StickySetting;
  private readonly evidence = anyIncrease();

  constructor(setting: StickySetting) {
    this.setting = setting;
  }

  run(random: Random): StickyOutcome {
    const users = this.drawUsers(random);
    const segments: GrowingSegment[] = [];
    // By the stage that a process was started at.
    const sums = STAGE_SHARES.map(() => new Float64Array(this.evidence.theta.length));
    let naive = 0;
    let corrected = 0;
    let finalDesignEffect = 1;
    for (const [stage, share] of STAGE_SHARES.entries()) {
      const segment = emptySegment();
      segments.push(segment);
      for (let look = 0; look < LOOKS_PER_STAGE; look++) {
        const table = this.interval(users, share, segment, random);
        for (const sum of sums.slice(0, stage + 1)) this.evidence.addTo(sum, table);
        const effects = sums.map((_, start) => (start <= stage ? stickyDesignEffect(segments.slice(start)) : 1));
        finalDesignEffect = effects[0] ?? 1;
        naive = Math.max(naive, this.mixture(sums));
        corrected = Math.max(
          corrected,
          this.mixture(sums.map((sum, start) => discountedProfile(sum, effects[start] ?? 1))),
        );
      }
    }
    return { naive, corrected, finalDesignEffect };
  }

  private mixture(sums: readonly Profile[]): number {
    return restartMixture(
      sums.map((sum) => this.evidence.logE(sum)),
      SHARES,
    );
  }

  private drawUsers(random: Random): readonly User[] {
    const { correlation, effect } = this.setting;
    const strength = 1 / correlation - 1;
    return Array.from({ length: USERS }, () => {
      const stableRate = betaDraw(RATE * strength, (1 - RATE) * strength, random);
      const isInside = stableRate > 0 && stableRate < 1;
      return {
        point: random.uniform(),
        bucket: random.below(BUCKETS),
        stableRate,
        candidateRate: isInside ? expit(logit(stableRate) + effect) : stableRate,
      };
    });
  }

  private interval(users: readonly User[], share: number, segment: GrowingSegment, random: Random) {
    const table = { candidateEvents: 0, candidateTrials: 0, stableEvents: 0, stableTrials: 0 };
    for (let request = 0; request < REQUESTS_PER_LOOK; request++) {
      const user = users[random.below(USERS)];
      if (!user) continue;
      const onCandidate = user.point < share;
      const failed = random.happens(onCandidate ? user.candidateRate : user.stableRate) ? 1 : 0;
      const { trials, events } = onCandidate ? segment.candidate : segment.stable;
      trials[user.bucket] = (trials[user.bucket] ?? 0) + 1;
      events[user.bucket] = (events[user.bucket] ?? 0) + failed;
      if (onCandidate) {
        table.candidateTrials++;
        table.candidateEvents += failed;
      } else {
        table.stableTrials++;
        table.stableEvents += failed;
      }
    }
    return table;
  }
}

interface User {
  /** Where the unit's hash falls: on the candidate below its share. */
  readonly point: number;
  readonly bucket: number;
  readonly stableRate: number;
  readonly candidateRate: number;
}

function emptySegment(): GrowingSegment {
  const zeros = (): number[] => Array.from({ length: BUCKETS }, () => 0);
  return {
    candidate: { trials: zeros(), events: zeros() },
    stable: { trials: zeros(), events: zeros() },
  };
}
