import type { RateGuardrail, StagePlan } from '../../plan/types.js';
import { AbRateTables, oddsWords } from './ab-rate-tables.js';
import type { AbRateTablesSnapshot } from './ab-rate-tables.js';
import { equalityTests } from './ab-source.js';
import type { AbSource, AbTables, EqualityTests, MarginTests } from './ab-source.js';
import { AssessmentError } from './assessment-error.js';
import type { IntervalBatch, UsedRecord } from './interval-batch.js';
import { BASELINE_TRIALS, PROMOTE_POINTS } from './promote-margin.js';
import { rateSource } from './rate-source.js';
import type { RateSource } from './rate-source.js';
import { whole } from './words.js';

/** The state of a rate's A/B comparison as plain data. */
export interface AbRateSnapshot extends AbRateTablesSnapshot {
  readonly kind: 'rate';
}

/** A/B comparison of a rate. Source: method §2, §3. */
export class AbRateSource implements AbSource {
  readonly cuts = 1;
  readonly equality: EqualityTests;
  readonly marginPoints: number;
  private readonly guardrail: RateGuardrail;
  private readonly source: RateSource;
  private readonly tables: AbRateTables;

  constructor(guardrail: RateGuardrail, from?: AbRateSnapshot) {
    const source = rateSource(guardrail.name);
    if (!source) {
      throw new AssessmentError('plan-invalid', `primary ${guardrail.name} cannot be compared in an ab stage`);
    }
    this.guardrail = guardrail;
    this.source = source;
    this.equality = equalityTests(0, guardrail.typicalEffect);
    this.marginPoints = guardrail.promote ? PROMOTE_POINTS : 0;
    this.tables = new AbRateTables(guardrail.promote, from);
  }

  absorb(batch: IntervalBatch): readonly AbTables[] {
    for (const used of batch.records) this.absorbRecord(used);
    const ready = this.tables.takeReady(0);
    this.tables.freezeBaseline();
    return ready;
  }

  margins(stage: StagePlan): MarginTests | null {
    return this.tables.margins(stage);
  }

  marginWords(stage: StagePlan): string | null {
    return oddsWords(this.margins(stage));
  }

  waits(): string | null {
    const trials = this.tables.awaitedTrials;
    if (trials === null) return null;
    return `the margin waits for ${whole(BASELINE_TRIALS)} requests of stable (${whole(trials)} so far)`;
  }

  snapshot(): AbRateSnapshot {
    return { kind: 'rate', ...this.tables.snapshot() };
  }

  private absorbRecord({ record, stageIndex, stage, compared }: UsedRecord): void {
    if (record.warmup && !this.source.usesWarmup) return;
    const rate = this.source.read(record);
    if (!rate) return;
    const { generation, stratum, variant, warmup, buckets } = record;
    const place = { stageIndex, generation, stratum, warmup };
    const isCompared = stage.kind === 'ab' && compared && this.source.comparable(stage);
    this.tables.add(place, variant, { ...rate, users: buckets[this.guardrail.name] }, isCompared);
  }
}
