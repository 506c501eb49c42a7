/** Traffic for the fake routers: what a closed interval of a split holds. */
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { PAIRED, SERVED } from '../../src/evidence/record.js';
import type { Split } from '../../src/plan/split.js';
import type { Variant } from '../../src/plan/types.js';
import { evidenceRecord } from '../helpers/evidence-record.js';
import type { Traffic } from './harness.js';

export interface Side {
  readonly trials: number;
  readonly errors: number;
}

/** The same numbers in every interval, in the stratum that the stage compares. */
export function steady(stable: Side, candidate: Side): Traffic {
  return ({ start, split }) => [record(start, split, 'stable', stable), record(start, split, 'candidate', candidate)];
}

/** One thing before a moment and another from then on. */
export function turning(at: number, before: Traffic, after: Traffic): Traffic {
  return (interval) => (interval.start < at ? before : after)(interval);
}

export const HEALTHY = steady({ trials: 100, errors: 1 }, { trials: 100, errors: 1 });
export const FAILING = steady({ trials: 100, errors: 1 }, { trials: 100, errors: 15 });
export const NOBODY: Traffic = () => [];

function record(start: number, split: Split, variant: Variant, { trials, errors }: Side): EvidenceRecord {
  if (split.rollout === null || split.stage === null) throw new Error('no rollout');
  return evidenceRecord({
    rollout: split.rollout,
    generation: split.generation,
    stage: split.stage,
    intervalStart: start,
    intervalMs: split.metering.intervalMs,
    stratum: split.mirror.share > 0 ? PAIRED : SERVED,
    variant,
    started: trials,
    completed: trials - errors,
    error: { trials, events: errors },
    errorsByClass: errors === 0 ? {} : { model: errors },
  });
}
