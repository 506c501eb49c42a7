import type { Histogram as RecordedHistogram } from '../../evidence/record.js';
import type { CutsGuardrail, StagePlan } from '../../plan/types.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { GridRange, OneSidedTest } from '../evidence-grid.js';
import { addTableProfile } from '../table-profile.js';
import { AssessmentError } from './assessment-error.js';
import { BREACH_LIMIT, Exceedances } from './exceedances.js';
import type { ExceedancesSnapshot } from './exceedances.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { HistogramSum } from './histogram-sum.js';
import type { IntervalBatch } from './interval-batch.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { SegmentSnapshot } from './stage-evidence.js';
import type { Pool } from './table-pools.js';
import { significant } from './words.js';

/** What people are shown of a distribution: its middle. */
const SHOWN_QUANTILE = 0.5;

/** A cuts guardrail's state as plain data. */
export interface CutsSnapshot extends ExceedancesSnapshot {
  readonly kind: 'cuts';
  readonly segments: readonly SegmentSnapshot[];
}

/** One cut: its part of the profile, which begins with its test. */
interface Cut {
  readonly test: OneSidedTest;
  readonly range: GridRange;
  /** The log odds ratios of that part. */
  readonly theta: Float64Array;
}

/** The cuts' grids one after the other; behind the shown cut's test lies the grid of its interval. */
interface CutsGrid {
  readonly theta: Float64Array;
  readonly cuts: readonly Cut[];
  readonly display: GridRange;
}

/**
 * Tokens per response: the exceedances of §4 at several quantiles, each with a threshold of its own that follows stable's,
 * the candidate's lying `limitShift` buckets higher. The cuts' e-values are averaged within each E^(s) of the mixture over
 * stages, which is the same as averaging the cuts' mixtures. Never a promote gate. Source: method §5.2, §10.3.
 *
 * The routers count users at one threshold, so the cuts share one design effect.
 */
export class CutsTracker implements GuardrailTracker {
  readonly guardrail: CutsGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly grid: CutsGrid;
  private readonly tests: readonly OneSidedTest[];
  private readonly exceedances: Exceedances;
  private readonly evidence: StageEvidence;
  private cachedBreach: number | null = null;

  /**
   * Throws `plan-invalid` without a quantile to cut at.
   * @param seed stable's values before the rollout; ignored when there is a snapshot to start from
   */
  constructor(
    guardrail: CutsGuardrail,
    stages: readonly StagePlan[],
    seed: RecordedHistogram | undefined,
    from?: CutsSnapshot,
  ) {
    this.guardrail = guardrail;
    this.stages = stages;
    this.grid = cutsGrid(guardrail);
    this.tests = this.grid.cuts.map(({ test }) => test);
    this.exceedances = new Exceedances(
      {
        name: guardrail.name,
        quantiles: guardrail.quantiles,
        columns: guardrail.quantiles.map((_, quantile) => ({ quantile, shiftAt: () => guardrail.limitShift })),
        stages: stages.length,
      },
      seed,
      from,
    );
    this.evidence = new StageEvidence({ breachPoints: this.grid.theta.length, promotePoints: 0 }, from?.segments);
  }

  absorb(batch: IntervalBatch): void {
    for (const pool of this.exceedances.absorb(batch)) this.useTables(pool);
  }

  logBreach(): number {
    this.cachedBreach ??= this.evidence.rolloutLogE(this.tests, this.stages);
    return this.cachedBreach;
  }

  gates(): boolean {
    return false;
  }

  read(stageIndex: number): GuardrailEvidence {
    const values = this.exceedances.ofStage(stageIndex);
    const stable = this.medianOf(values?.stable);
    const candidate = this.medianOf(values?.candidate);
    const ratio = stable && candidate !== null ? candidate / stable : null;
    return {
      seen: seen(stable, candidate, ratio),
      logE: { breach: this.logBreach(), safe: null },
      stable,
      candidate,
      ratio,
      interval: shownInterval(this.grid.theta, this.evidence.stageProfile(stageIndex), this.grid.display),
      designEffect: this.evidence.stageEffect(stageIndex),
      n: { stable: values?.stable.total ?? 0, candidate: values?.candidate.total ?? 0 },
      waits: this.exceedances.waits(),
      remaining: null,
    };
  }

  snapshot(): CutsSnapshot {
    return { kind: 'cuts', ...this.exceedances.snapshot(), segments: this.evidence.snapshot() };
  }

  private useTables({ place, tables, users }: Pool<readonly number[]>): void {
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    for (const [index, { range, theta }] of this.grid.cuts.entries()) {
      const table = tables[index];
      if (table) addTableProfile(segment.breach.subarray(range.first, range.end), theta, table);
    }
    segment.users.addSums(users);
    this.cachedBreach = null;
  }

  private medianOf(values: HistogramSum | undefined): number | null {
    return values?.quantile(SHOWN_QUANTILE, this.guardrail.histogram) ?? null;
  }
}

function seen(stable: number | null, candidate: number | null, ratio: number | null): string {
  if (stable === null || candidate === null || ratio === null)
    return 'tokens per response not seen on both variants yet';
  return `median tokens per response ${significant(candidate)} against ${significant(stable)}, ${ratio.toFixed(2)} times`;
}

function cutsGrid({ name, quantiles, typicalEffect }: CutsGuardrail): CutsGrid {
  const shown = indexNearest(quantiles, SHOWN_QUANTILE);
  const builder = new EvidenceGridBuilder();
  const ranges: { readonly test: OneSidedTest; readonly range: GridRange }[] = [];
  let display: GridRange | null = null;
  for (const index of quantiles.keys()) {
    const test = builder.greater(BREACH_LIMIT, typicalEffect);
    let end = test.nullIndex + 1 + test.logWeights.length;
    if (index === shown) {
      display = builder.display();
      ({ end } = display);
    }
    ranges.push({ test, range: { first: test.nullIndex, end } });
  }
  if (display === null) {
    throw new AssessmentError('plan-invalid', `guardrail ${name} has no quantile to cut at; freeze the plan again`);
  }
  const { theta } = builder.build();
  return {
    theta,
    cuts: ranges.map(({ test, range }) => ({ test, range, theta: theta.subarray(range.first, range.end) })),
    display,
  };
}

function indexNearest(values: readonly number[], wanted: number): number {
  return values.reduce(
    (nearest, value, index) =>
      Math.abs(value - wanted) < Math.abs((values[nearest] ?? Infinity) - wanted) ? index : nearest,
    0,
  );
}
