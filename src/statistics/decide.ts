import { requireFinite, requireNumber, requireOpenRate } from './checks.js';
import { closedTest } from './closed-test.js';
import { StatisticsError } from './errors.js';
import { familyLogE } from './family-average.js';

/** Numbers by guardrail name. */
type ByName = Readonly<Record<string, number>>;

/** One family of guardrails: its log e-values now, the weights that sum to 1, and the family's error rate. */
export interface Family {
  readonly logE: ByName;
  readonly weights: ByName;
  readonly alpha: number;
}

export interface LookEvidence {
  readonly rollback: Family;
  readonly hold: Family;
  /** Evidence of each gate metric against "worse than its margin", from the current stage alone. */
  readonly gates: { readonly logE: ByName; readonly alpha: number };
  readonly sampleRatio: { readonly logE: number; readonly alpha: number };
  readonly elapsedSeconds: number;
  readonly minimumSeconds: number;
  readonly maximumSeconds: number;
  /** Whether the candidate has answered enough requests for an increase. */
  readonly enoughRequests: boolean;
}

export interface LookDecision {
  readonly action: 'rollback' | 'hold' | 'promote' | 'inconclusive' | 'continue';
  /** The guardrails that brought it: culprits, or for `inconclusive` the gates still shut. `srm` is the sample ratio. */
  readonly because: readonly string[];
}

const SAMPLE_RATIO = 'srm';

/**
 * What one look says, in the method's order: rollback > sample ratio > hold > promote > inconclusive > continue.
 *
 * Rollback and hold at the first crossing of their family's average, with the culprits that the closed test names (the
 * leading one if it names none); promote when the minimum time has passed, there are enough requests and every gate is
 * at ln(1/α); inconclusive at the deadline. No gate at all never promotes: silence is not evidence. Throws on NaN, on a
 * metric without weight or a weight without metric. Source: method §10.6.
 */
export function decideLook(evidence: LookEvidence): LookDecision {
  const { gates, sampleRatio, elapsedSeconds } = evidence;
  requireFinite(elapsedSeconds, 'elapsed time');
  requireNumber(sampleRatio.logE, 'log e-value');
  requireOpenRate(sampleRatio.alpha, 'alpha');
  requireOpenRate(gates.alpha, 'alpha');
  const breached = culpritsOf(evidence.rollback);
  const suspicious = culpritsOf(evidence.hold);
  const misassigned = sampleRatio.logE >= -Math.log(sampleRatio.alpha);
  const shut = Object.entries(gates.logE)
    .filter(([, logE]) => {
      requireNumber(logE, 'log e-value');
      return logE < -Math.log(gates.alpha);
    })
    .map(([name]) => name);

  if (breached !== null) {
    return { action: 'rollback', because: misassigned ? [...breached, SAMPLE_RATIO] : breached };
  }
  if (misassigned) return { action: 'hold', because: [SAMPLE_RATIO] };
  if (suspicious !== null) return { action: 'hold', because: suspicious };
  const open = shut.length === 0 && Object.keys(gates.logE).length > 0;
  if (open && evidence.enoughRequests && elapsedSeconds >= evidence.minimumSeconds) {
    return { action: 'promote', because: [] };
  }
  if (elapsedSeconds >= evidence.maximumSeconds) return { action: 'inconclusive', because: shut };
  return { action: 'continue', because: [] };
}

/** The names to blame if the family has crossed; null if it has not. */
function culpritsOf(family: Family): readonly string[] | null {
  const names = Object.keys(family.weights);
  const strangers = Object.keys(family.logE).filter((name) => !names.includes(name));
  if (strangers.length > 0) throw new StatisticsError('length-mismatch', `no weight for ${strangers.join(', ')}`);
  if (names.length === 0) return null;
  const weights = names.map((name) => family.weights[name] ?? Number.NaN);
  const logE = names.map((name) => {
    const value = family.logE[name];
    if (value === undefined) throw new StatisticsError('length-mismatch', `no evidence for ${name}`);
    return value;
  });
  requireOpenRate(family.alpha, 'alpha');
  if (familyLogE(logE, weights) < -Math.log(family.alpha)) return null;
  const { named, leading } = closedTest(logE, weights, family.alpha);
  return (named.length > 0 ? named : [leading]).flatMap((index) => names[index] ?? []);
}
