import type { AbReading } from '../../evidence/look.js';
import type { Histogram } from '../../evidence/record.js';
import type { Guardrail, Plan, StagePlan } from '../../plan/types.js';
import { abCall, logDifference } from '../ab-call.js';
import type { AbLogE } from '../ab-call.js';
import { AbEvidence } from './ab-evidence.js';
import type { AbSegmentSnapshot } from './ab-evidence.js';
import { AbFeedbackSource } from './ab-feedback-source.js';
import { AbQuantileSource } from './ab-quantile-source.js';
import { AbRateSource } from './ab-rate-source.js';
import type { AbSource, AbSourceSnapshot } from './ab-source.js';
import { AssessmentError } from './assessment-error.js';
import type { IntervalBatch } from './interval-batch.js';
import { eValue, significant } from './words.js';

/** The state as plain data. */
export interface AbSnapshot {
  readonly source: AbSourceSnapshot;
  readonly segments: readonly AbSegmentSnapshot[];
}

/** Below this users make no difference worth a word. */
const SHOWN_DESIGN_EFFECT = 1.05;

const WORDS: Readonly<Record<AbReading['finding'], string>> = {
  'candidate-better': 'the candidate is better',
  'stable-better': 'stable is better',
  'no-difference': 'no difference beyond the margin',
  undecided: 'undecided',
};

/**
 * What the `ab` stages of a plan find on its primary guardrail, each from its own evidence. The guardrail keeps its part in
 * the rollback family beside it: another null, another error rate. The call has the plan's `falsePromote`, since like a
 * promotion it is one decision of one stage.
 */
export class AbTracker {
  readonly primary: AbReading['primary'];
  private readonly plan: Plan;
  private readonly source: AbSource;
  private readonly evidence: AbEvidence;

  /** Throws `plan-invalid` for a primary that the plan does not have or that cannot be compared. */
  constructor(
    plan: Plan,
    primary: AbReading['primary'],
    seeds: Readonly<Record<string, Histogram>>,
    from?: AbSnapshot,
  ) {
    const guardrail = plan.guardrails.find(({ name }) => name === primary);
    if (!guardrail) throw new AssessmentError('plan-invalid', `primary ${primary} is no guardrail of the plan`);
    this.primary = primary;
    this.plan = plan;
    this.source = createSource(guardrail, plan, seeds[primary], from?.source);
    this.evidence = new AbEvidence(this.source, from?.segments);
  }

  /** Uses the records of one interval end. */
  absorb(batch: IntervalBatch): void {
    for (const tables of this.source.absorb(batch)) {
      const stage = this.abStage(tables.place.stageIndex);
      if (stage) this.evidence.add(stage, tables);
    }
  }

  /** What a stage has found by now, on evidence of a generation and later ones; null but in an ab stage. */
  finding(stageIndex: number, fromGeneration: number): AbReading['finding'] | null {
    const stage = this.abStage(stageIndex);
    if (!stage) return null;
    return abCall(this.evidence.numbers(stage, stageIndex, fromGeneration).logE, this.plan.falsePromote);
  }

  /** The same with the numbers that decide; `seen` says in words what both variants did. Null but in an ab stage. */
  read(stageIndex: number, fromGeneration: number, seen: string): AbReading | null {
    const stage = this.abStage(stageIndex);
    if (!stage) return null;
    const { logE, designEffect } = this.evidence.numbers(stage, stageIndex, fromGeneration);
    const finding = abCall(logE, this.plan.falsePromote);
    const why = [
      `${WORDS[finding]} on ${this.primary}: ${seen}`,
      this.differenceWords(logE),
      this.marginWords(stage, logE),
      designEffect > SHOWN_DESIGN_EFFECT
        ? `users resemble themselves (design effect ${significant(designEffect)})`
        : null,
      this.source.waits(),
    ];
    return { primary: this.primary, finding, logE, why: why.filter((part) => part !== null).join('; ') };
  }

  snapshot(): AbSnapshot {
    return { source: this.source.snapshot(), segments: this.evidence.snapshot() };
  }

  private abStage(stageIndex: number): StagePlan | null {
    const stage = this.plan.stages[stageIndex];
    return stage?.kind === 'ab' ? stage : null;
  }

  private differenceWords(logE: AbLogE): string {
    return (
      `e-value for a difference ${eValue(logDifference(logE))} of ${this.bound} needed ` +
      `(better ${eValue(logE.better)}, worse ${eValue(logE.worse)})`
    );
  }

  private marginWords(stage: StagePlan, { inside }: AbLogE): string | null {
    if (inside === null) return null;
    return `for none beyond the margin (${this.source.marginWords(stage) ?? ''}) ${eValue(inside)} of ${this.bound}`;
  }

  private get bound(): string {
    return eValue(-Math.log(this.plan.falsePromote));
  }
}

function createSource(
  guardrail: Guardrail,
  plan: Plan,
  seed: Histogram | undefined,
  from: AbSourceSnapshot | undefined,
): AbSource {
  switch (guardrail.kind) {
    case 'rate':
      return new AbRateSource(guardrail, from?.kind === 'rate' ? from : undefined);
    case 'quantile':
      return new AbQuantileSource(guardrail, plan.stages, seed, from?.kind === 'quantile' ? from : undefined);
    case 'feedback':
      return new AbFeedbackSource(guardrail, plan.stages, from?.kind === 'feedback' ? from : undefined);
    case 'cuts':
    case 'sample-ratio':
      throw new AssessmentError('plan-invalid', `primary ${guardrail.name} cannot be compared in an ab stage`);
  }
}
