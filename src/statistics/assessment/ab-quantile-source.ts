import type { Histogram } from '../../evidence/record.js';
import type { QuantileGuardrail, StagePlan } from '../../plan/types.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import { equalityTests } from './ab-source.js';
import type { AbSource, AbTables, EqualityTests, MarginTests } from './ab-source.js';
import { BREACH_LIMIT, Exceedances, PROMOTE_LIMIT } from './exceedances.js';
import type { ExceedancesSnapshot } from './exceedances.js';
import type { IntervalBatch } from './interval-batch.js';

/** The state of a quantile's A/B comparison as plain data. */
export interface AbQuantileSnapshot extends ExceedancesSnapshot {
  readonly kind: 'quantile';
}

/**
 * A/B comparison of a quantile: values above a threshold that follows stable's quantile, counted on both variants at the
 * same threshold for "no difference", and on the candidate at one that lies the stage's promote margin higher, and lower,
 * for "inside the margin". Half a bucket of discretisation is no difference, and no merit either. Source: method §4.
 */
export class AbQuantileSource implements AbSource {
  readonly cuts = 1;
  readonly equality: EqualityTests;
  readonly marginPoints: number;
  private readonly guardrail: QuantileGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly tests: MarginTests | null;
  private readonly exceedances: Exceedances;

  /** @param seed stable's values before the rollout; ignored when there is a snapshot to start from */
  constructor(
    guardrail: QuantileGuardrail,
    stages: readonly StagePlan[],
    seed: Histogram | undefined,
    from?: AbQuantileSnapshot,
  ) {
    this.guardrail = guardrail;
    this.stages = stages;
    this.equality = equalityTests(BREACH_LIMIT, guardrail.typicalEffect);
    this.tests = guardrail.promote ? marginTests(guardrail.typicalEffect) : null;
    this.marginPoints = this.tests?.notWorse.grid.theta.length ?? 0;
    const columns = [
      { quantile: 0, shiftAt: () => 0 },
      { quantile: 0, shiftAt: (stageIndex: number) => this.marginShift(this.stages[stageIndex]) },
      { quantile: 0, shiftAt: (stageIndex: number) => -this.marginShift(this.stages[stageIndex]) },
    ];
    this.exceedances = new Exceedances(
      { name: guardrail.name, quantiles: [guardrail.quantile], columns, stages: stages.length },
      seed,
      from,
    );
  }

  absorb(batch: IntervalBatch): readonly AbTables[] {
    return this.exceedances.absorb(batch).flatMap(({ place, tables: [equality, notWorse, notBetter], users }) => {
      if (this.stages[place.stageIndex]?.kind !== 'ab' || !equality || !notWorse || !notBetter) return [];
      return [{ place, cut: 0, equality, margin: { notWorse, notBetter }, users }];
    });
  }

  margins(): MarginTests | null {
    return this.tests;
  }

  marginWords(stage: StagePlan): string | null {
    if (this.tests === null) return null;
    return `${(this.guardrail.histogram.gamma ** this.marginShift(stage)).toFixed(2)} times either way`;
  }

  waits(): string | null {
    return this.exceedances.waits();
  }

  snapshot(): AbQuantileSnapshot {
    return { kind: 'quantile', ...this.exceedances.snapshot() };
  }

  private marginShift(stage: StagePlan | undefined): number {
    return stage ? (this.guardrail.promote?.shifts[stage.ladder] ?? 0) : 0;
  }
}

function marginTests(typicalEffect: number): MarginTests {
  const up = new EvidenceGridBuilder();
  const less = up.less(PROMOTE_LIMIT, typicalEffect);
  const down = new EvidenceGridBuilder();
  const greater = down.greater(BREACH_LIMIT, typicalEffect);
  return { notWorse: { grid: up.build(), test: less }, notBetter: { grid: down.build(), test: greater } };
}
