import type { Effort } from '../efforts.js';
import { percent, rate, whole } from '../report/format.js';
import { atMost } from '../report/section.js';
import type { Goal, Section } from '../report/section.js';
import { Random } from '../sampling/random.js';
import { ALPHA } from '../settings.js';
import { DRIFT_METHODS, DriftSimulation } from '../simulate-drift.js';
import { STICKY_SETTINGS, StickySimulation } from '../simulate-sticky.js';
import type { StickyOutcome, StickySetting } from '../simulate-sticky.js';

const SMALL_ALPHA = 0.005;
/** Fewer runs than this cannot tell half a percent from one. */
const RUNS_FOR_SMALL_ALPHA = 1500;

/** A ramp while the service itself gets worse. */
export function drift(effort: Effort): Section {
  const simulation = new DriftSimulation();
  const random = new Random('drift');
  const counts = DRIFT_METHODS.map(() => 0);
  for (let run = 0; run < effort.drift; run++) {
    for (const [method, stopped] of simulation.run(random).entries()) {
      counts[method] = (counts[method] ?? 0) + Number(stopped);
    }
  }
  const ours = (counts[0] ?? Number.NaN) / effort.drift;
  return {
    title: 'A ramp while the service itself gets worse',
    goals: [atMost('false rollbacks in a ramp with a drifting baseline', ours, ALPHA, percent)],
    blocks: [
      {
        kind: 'text',
        text:
          'The candidate is as good as stable at every moment; its share goes 5 → 25 → 50 % while the error rate of both ' +
          `goes 1 → 1.5 → 2 %. ${whole(effort.drift)} runs of 900 looks. Tables of one interval each compare like with like; ` +
          'whoever sums requests over the ramp compares the candidate’s late ones with stable’s early ones.',
      },
      {
        kind: 'table',
        header: ['method', 'rolled back'],
        rows: DRIFT_METHODS.map((name, method) => [name, rate(counts[method] ?? 0, effort.drift)]),
      },
    ],
  };
}

/** Users who stay on their variant and resemble themselves. */
export function sticky(effort: Effort): Section {
  const results = STICKY_SETTINGS.map((setting) => {
    const runs = setting.effect === 0 ? effort.sticky : effort.stickyWorse;
    const simulation = new StickySimulation(setting);
    const random = new Random(`sticky ${setting.name}`);
    return { setting, runs, outcomes: Array.from({ length: runs }, () => simulation.run(random)) };
  });
  return {
    title: 'Sticky users',
    goals: results.flatMap(({ setting, runs, outcomes }) => goalsOf(setting, runs, outcomes)),
    blocks: [
      {
        kind: 'text',
        text:
          '2,000 users with about twelve requests each and a rate of their own (5 % on average), a ramp 5 → 25 → 50 % that ' +
          'moves them from stable to the candidate, 240 looks. “Naive” counts requests as if they were independent; ' +
          'sluice divides the evidence by the design effect of the comparison, estimated from 64 buckets of users.',
      },
      {
        kind: 'table',
        header: [
          'truth',
          'runs',
          'naive, α 5 %',
          'naive, α 0.5 %',
          'sluice, α 5 %',
          'sluice, α 0.5 %',
          'design effect',
        ],
        rows: results.map(({ setting, runs, outcomes }) => [
          setting.name,
          whole(runs),
          ...(['naive', 'corrected'] as const).flatMap((kind) =>
            [ALPHA, SMALL_ALPHA].map((alpha) => rate(crossings(outcomes, kind, alpha), runs)),
          ),
          (outcomes.reduce((sum, { finalDesignEffect }) => sum + finalDesignEffect, 0) / runs).toFixed(2),
        ]),
      },
    ],
  };
}

function goalsOf(setting: StickySetting, runs: number, outcomes: readonly StickyOutcome[]): readonly Goal[] {
  if (setting.effect !== 0) return [];
  const alphas = runs >= RUNS_FOR_SMALL_ALPHA ? [ALPHA, SMALL_ALPHA] : [ALPHA];
  return alphas.map((alpha) =>
    atMost(
      `false rollbacks with sticky users at α ${percent(alpha)}: ${setting.name}`,
      crossings(outcomes, 'corrected', alpha) / runs,
      alpha,
      percent,
    ),
  );
}

function crossings(outcomes: readonly StickyOutcome[], kind: 'naive' | 'corrected', alpha: number): number {
  return outcomes.filter((outcome) => outcome[kind] >= -Math.log(alpha)).length;
}
