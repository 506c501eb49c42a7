/** The pipeline's assessment over logged requests: read, put in order, filed as evidence, assessed. */
import type { AbReading, AssessmentReading, Crossing, GuardrailStatus } from '../../evidence/look.js';
import { intervalEnd } from '../../evidence/record.js';
import type { GuardrailAction, GuardrailName, Plan } from '../../plan/types.js';
import { SluiceError } from '../../plan/failures.js';
import type { StageName } from '../../plan/ids.js';
import { loadHash } from '../../router/choice.js';
import type { Hash } from '../../router/choice.js';
import { createAssessment } from '../../statistics/assessment/assessment.js';
import type { Assessment } from '../../statistics/assessment/assessment.js';
import { RequestFold } from './fold-requests.js';
import { forEachLine } from './line-source.js';
import { RequestReader } from './request-reader.js';
import { RequestOrder } from './request-order.js';
import type { RequestLine } from './request-line.js';

export interface AnalyzeOptions {
  /** How much older than the newest so far a line may be, ms. */
  readonly reorderMs: number;
}

export interface AnalyzedStage {
  readonly stage: StageName;
  /** Starts of its first and last request, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly requests: AssessmentReading['requests'];
  readonly promote: AssessmentReading['promote'];
  /** What an ab stage has found; absent in stages of another kind. */
  readonly ab?: AbReading;
}

/** What `sluice analyze` prints. */
export interface Analysis {
  readonly action: 'none' | GuardrailAction;
  /** In the last stage that has requests. */
  readonly guardrails: Readonly<Partial<Record<GuardrailName, GuardrailStatus>>>;
  readonly stages: readonly AnalyzedStage[];
  /** The first breach of the action; `at` is the end of its interval, `requests` are the candidate's up to there. */
  readonly firstBreach: {
    readonly guardrail: GuardrailName;
    readonly stage: StageName;
    readonly at: string;
    readonly requests: number;
  } | null;
}

/**
 * Reads a file of one JSON object a line and assesses it as the pipeline would have, interval by interval, to its end.
 * Memory grows with the requests of the reorder window, not with the file.
 * @throws SluiceError `evidence-invalid` naming the line, its key and value, or the line that is too old
 */
export async function analyzeLines(plan: Plan, path: string, options: AnalyzeOptions): Promise<Analysis> {
  const reader = new RequestReader({
    stages: plan.stages.map(({ name }) => name),
    needsLatency: comparesLatency(plan),
  });
  const log = new AssessedLog(plan, await loadHash());
  const order = new RequestOrder(options.reorderMs, (request) => log.add(request));
  const lines = await forEachLine(path, (bytes, start, end, lineNumber) => {
    order.add(reader.read(bytes, start, end, lineNumber), lineNumber);
  });
  if (lines === 0) throw new SluiceError('evidence-invalid', `${path} has no lines; write one JSON object a line`);
  order.end();
  return log.end();
}

/** Each request must then have a latency. */
export function comparesLatency(plan: Pick<Plan, 'guardrails'>): boolean {
  return plan.guardrails.some((guardrail) => 'signal' in guardrail && guardrail.signal === 'latency');
}

class AssessedLog {
  readonly #plan: Plan;
  readonly #fold: RequestFold;
  readonly #assessment: Assessment;
  readonly #spans: { from: number; to: number }[];

  constructor(plan: Plan, hash: Hash) {
    this.#plan = plan;
    this.#fold = new RequestFold(plan, hash);
    this.#assessment = createAssessment(plan, {});
    this.#spans = plan.stages.map(() => ({ from: Infinity, to: -Infinity }));
  }

  /** In order of `at`. */
  add(request: RequestLine): void {
    if (this.#fold.nextEndMs <= request.at) this.#close(request.at);
    this.#fold.add(request);
    const span = this.#spans[request.stageIndex];
    if (span === undefined) return;
    if (request.at < span.from) span.from = request.at;
    if (request.at > span.to) span.to = request.at;
  }

  end(): Analysis {
    this.#close(Infinity);
    return this.#analysis();
  }

  #close(throughMs: number): void {
    const records = this.#fold.close(throughMs);
    const last = records.at(-1);
    if (last !== undefined) this.#assessment.absorb(records, this.#fold.takeRatings(intervalEnd(last)));
  }

  #analysis(): Analysis {
    const readings = this.#plan.stages.flatMap(({ name }, index) => {
      const span = this.#spans[index];
      if (span === undefined || span.from > span.to) return [];
      return [{ span, reading: this.#assessment.read(name, { promoteFromGeneration: 0 }) }];
    });
    const breach = worstBreach(this.#assessment.breaches);
    const guardrail = breach?.guardrails[0];
    return {
      action: breach?.family ?? 'none',
      guardrails: readings.at(-1)?.reading.guardrails ?? {},
      stages: readings.map(({ span, reading }) => ({
        stage: reading.stage,
        from: new Date(span.from).toISOString(),
        to: new Date(span.to).toISOString(),
        requests: reading.requests,
        promote: reading.promote,
        ...(reading.ab === null ? {} : { ab: reading.ab }),
      })),
      firstBreach:
        breach === null || guardrail === undefined
          ? null
          : {
              guardrail,
              stage: breach.stage,
              at: new Date(breach.intervalEnd).toISOString(),
              requests: breach.requests,
            },
    };
  }
}

const BY_GRAVITY = ['rollback', 'hold', 'flag'] as const satisfies readonly GuardrailAction[];

/** The first breach of the gravest action. */
function worstBreach(breaches: readonly Crossing[]): Crossing | null {
  for (const action of BY_GRAVITY) {
    const first = breaches.find(({ family }) => family === action);
    if (first !== undefined) return first;
  }
  return null;
}
