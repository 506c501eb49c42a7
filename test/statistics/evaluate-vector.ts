import { expectedEValue } from '../../bench/statistics/comparators/expected-e-value.js';
import { fixedSampleCandidateRequests } from '../../bench/statistics/comparators/fixed-sample.js';
import { asymptoticConfidenceSequence, growthbookRho } from '../../bench/statistics/comparators/growthbook.js';
import { howardRamdasQuantilePValue } from '../../bench/statistics/comparators/howard-ramdas.js';
import { absoluteMarginLogE } from '../../src/statistics/absolute-margin.js';
import { alternativeOffsets, lognormalWeights } from '../../src/statistics/alternatives.js';
import { closedTest } from '../../src/statistics/closed-test.js';
import { confidenceSequence } from '../../src/statistics/confidence-sequence.js';
import { scoreCutTables } from '../../src/statistics/cuts.js';
import { decideLook } from '../../src/statistics/decide.js';
import { bucketVariance, designEffect, scoreDesignEffect } from '../../src/statistics/design-effect.js';
import type { BucketCounts } from '../../src/statistics/design-effect.js';
import { eBenjaminiHochberg } from '../../src/statistics/e-benjamini-hochberg.js';
import { exceedanceTable } from '../../src/statistics/exceedance-table.js';
import { excessLogE } from '../../src/statistics/excess.js';
import { familyLogE } from '../../src/statistics/family-average.js';
import { crossingProbability, natsForPower } from '../../src/statistics/first-passage.js';
import { gaussianProfile, logRatioEstimate } from '../../src/statistics/gaussian-profile.js';
import { bucketIndex, quantileIndex, shiftForRatio } from '../../src/statistics/histogram.js';
import { klBernoulli, klTwoSample } from '../../src/statistics/kullback-leibler.js';
import { logOddsRatioFromRatio } from '../../src/statistics/odds-ratio.js';
import { minimumDetectableRatio, planTest } from '../../src/statistics/planner.js';
import { restartMixture } from '../../src/statistics/restart-mixture.js';
import { robbinsOneSided, robbinsTwoSided } from '../../src/statistics/robbins-mixture.js';
import { sampleRatioLogE } from '../../src/statistics/sample-ratio.js';
import { signProfile } from '../../src/statistics/sign-profile.js';
import { tableProfile } from '../../src/statistics/table-profile.js';
import type { Table } from '../../src/statistics/table.js';
import { ThresholdTracker } from '../../src/statistics/threshold-tracker.js';
import { displayGrid, evaluateOnGrid, givenProfile, offsetRange, oneSided } from './vector-grid.js';
import { VectorInput, toNumber } from './vector-input.js';

/**
 * Runs one case of a vector file: `fn` and `input` as they stand there (short names, t = candidate, c = stable), the
 * result in the file's shapes. A case whose `expect` is `{ error }` throws an error with that message.
 */
export function evaluate(fn: string, input: object): unknown {
  const run = FUNCTIONS[fn];
  if (run === undefined) throw new Error(`no function of the method is called ${fn}`);
  return run(new VectorInput(input));
}

const FUNCTIONS: Readonly<Record<string, (input: VectorInput) => unknown>> = {
  tableProfile: (input) =>
    Array.from(
      tableProfile(input.numbers('theta'), {
        candidateEvents: input.number('et'),
        candidateTrials: input.number('nt'),
        stableEvents: input.number('ec'),
        stableTrials: input.number('nc'),
      }),
    ),
  signProfile: (input) =>
    Array.from(signProfile(input.numbers('theta'), input.number('losses', 'loss'), input.number('wins', 'win'))),
  offsets: (input) => alternativeOffsets(offsetRange(input)),
  lognormalWeights: (input) => lognormalWeights(input.numbers('d'), input.number('dStar'), input.numberOr(1, 'sigma')),
  logE: (input) => evaluateOnGrid(input, (theta) => givenProfile(input, theta)),
  gaussianLogE: (input) =>
    evaluateOnGrid(input, (theta) => gaussianProfile(theta, input.number('S'), input.number('I'))),
  confidenceSequence: (input) => {
    const theta = displayGrid(input);
    const { lower, upper } = confidenceSequence(theta, givenProfile(input, theta), input.numberOr(0.05, 'alpha'));
    return [finiteOrNull(lower), finiteOrNull(upper)];
  },
  absoluteMarginLogE: (input) =>
    absoluteMarginLogE(input.number('events'), input.number('trials'), input.number('marginRate')),
  expectedEValueUnderNull: (input) => {
    const limit = input.numberOr(0, 'theta0');
    return expectedEValue(
      { candidateTrials: input.number('nt'), stableTrials: input.number('nc'), events: input.number('e') },
      { side: oneSided(input), limit, typicalEffect: input.numberOr(0.4, 'dStar') },
      input.numberOr(limit, 'theta', 'thetaTrue', 'truth'),
    );
  },

  restartMixture: (input) => restartMixture(input.numbers('logE'), input.numbers('pi')),
  globalLogE: (input) => {
    const { values, weights } = family(input);
    return familyLogE(values, weights);
  },
  closedAverage: (input) => {
    const { names, values, weights } = family(input);
    return closedTest(values, weights, input.numberOr(0.05, 'alpha')).named.map((index) => names[index]);
  },
  eBH: (input) => eBenjaminiHochberg(input.numbers('logE'), input.numberOr(0.05, 'alpha')),
  decide: (input) => {
    const config = input.object('cfg');
    const decision = decideLook({
      rollback: { logE: input.record('logERoll'), weights: config.record('a'), alpha: config.number('alpha') },
      hold: { logE: input.record('logEInvestigate'), weights: config.record('b'), alpha: config.number('alpha_inv') },
      gates: { logE: input.record('logEPromote'), alpha: config.number('alpha_promote') },
      sampleRatio: { logE: input.number('srmLogE'), alpha: config.number('alpha_srm') },
      elapsedSeconds: input.number('elapsed'),
      minimumSeconds: config.number('min_seconds'),
      maximumSeconds: config.number('max_seconds'),
      enoughRequests: input.raw('nOk') === true,
    });
    return [decision.action === 'hold' ? 'ask' : decision.action, decision.because];
  },

  bucket: (input) => {
    const buckets = { gamma: input.number('gamma'), smallest: input.numberOr(0.001, 'xMin') };
    const values = input.raw('x');
    if (!Array.isArray(values)) return bucketIndex(toNumber(values), buckets);
    return values.map((value) => bucketIndex(toNumber(value), buckets));
  },
  shiftForRatio: (input) => shiftForRatio(input.number('ratio', 'r'), input.number('gamma')),
  quantileIndex: (input) => quantileIndex(input.histogram('hist', 'h'), input.number('p')),
  exceedanceTable: (input) =>
    tableAsList(
      exceedanceTable(
        input.histogram('t', 'ht', 'histT', 'hist_t', 'treatment'),
        input.histogram('c', 'hc', 'histC', 'hist_c', 'control'),
        input.number('index', 'i', 'threshold', 'thresholdIndex', 'ik', 'idx'),
        input.number('shift'),
      ),
    ),
  thresholdTracker: (input) => {
    const quantile = input.number('p');
    const tracker = new ThresholdTracker({
      quantile,
      halfLife: input.numberOr((0.7 * 200) / (1 - quantile), 'halfLifeObs'),
      minimumObservations: input.numberOr(200, 'minN'),
    });
    return input.histograms('controlHistograms').map((histogram) => {
      const threshold = tracker.threshold();
      tracker.add(histogram);
      return threshold;
    });
  },
  cutsTables: (input) => scoreCutTables(input.numbers('t'), input.numbers('c')).map(tableAsList),
  excessLogE: (input) =>
    excessLogE(input.histogram('bins'), {
      limit: input.number('tau'),
      clip: input.numberOr(0.5, 'c'),
      bins: input.numberOr(1000, 'nbins'),
      bets: input.numberOr(20, 'J'),
    }),
  srmLogE: (input) =>
    sampleRatioLogE(input.numbers('counts'), input.numbers('theta0'), input.numberOr(1000, 'concentration')),

  bucketVariance: (input) => {
    const { rate, variance } = bucketVariance(bucketCounts(input));
    return [rate, variance];
  },
  designEffect: (input) => designEffect([bucketCounts(input)], input.numberOr(1, 'floor')),
  scoreDesignEffect: (input) =>
    scoreDesignEffect(
      input.objects('segments').map((segment) => ({
        candidate: { trials: segment.numbers('nt'), events: segment.numbers('st') },
        stable: { trials: segment.numbers('nc'), events: segment.numbers('sc') },
      })),
      input.numberOr(1, 'floor'),
    ),
  logRatioStat: (input) => {
    const { logRatio, information } = logRatioEstimate(
      { count: input.number('nt'), sum: input.number('st'), sumOfSquares: input.number('qt') },
      { count: input.number('nc'), sum: input.number('sc'), sumOfSquares: input.number('qc') },
    );
    return [logRatio, information];
  },
  robbinsOneSided: (input) => robbinsOneSided(input.number('S'), input.number('V'), input.number('rho')),
  robbinsTwoSided: (input) => robbinsTwoSided(input.number('S'), input.number('V'), input.number('rho')),

  klBernoulli: (input) => klBernoulli(input.number('q'), input.number('p')),
  klTwoSample: (input) =>
    klTwoSample(input.number('pc'), input.number('pt'), input.number('w'), input.numberOr(0, 'theta0')),
  crossingProb: (input) => crossingProbability(input.number('nats'), input.number('threshold')),
  natsForPower: (input) => natsForPower(input.number('threshold'), input.numberOr(0.8, 'power')),
  oddsRatioFromRatio: (input) => logOddsRatioFromRatio(input.number('pc'), input.number('ratio')),
  plan: evaluatePlan,
  minDetectableRatio: (input) =>
    minimumDetectableRatio(
      {
        stableRate: input.number('pc'),
        share: input.number('w'),
        limit: input.numberOr(0, 'theta0'),
        typicalEffect: input.numberOr(0.4, 'dStar'),
        alpha: input.number('alphaMetric', 'alpha'),
        stageShare: input.numberOr(1, 'piStage'),
        designEffect: input.numberOr(1, 'deff'),
        power: input.numberOr(0.8, 'power'),
      },
      input.number('n', 'N', 'nTotal', 'n_total'),
    ),

  growthbookRho: (input) => growthbookRho(input.number('alpha'), input.numberOr(5000, 'nStar', 'N', 'tuning', 'n')),
  asympCS: (input) =>
    asymptoticConfidenceSequence(
      {
        point: input.number('point'),
        variance: input.number('varOfEstimate'),
        observations: input.number('n'),
      },
      input.number('rho'),
      input.number('alpha'),
    ),
  howardRamdasQuantilePValue: (input) =>
    howardRamdasQuantilePValue(
      input.numbers('a', 't', 'a_values', 'xt', 'treatment'),
      input.numbers('b', 'c', 'b_values', 'xc', 'control'),
      {
        quantile: input.number('p', 'quantile_p', 'q'),
        optimalCount: input.number('tOpt', 't_opt', 'nOpt'),
        optimalAlpha: input.numberOr(0.05, 'alphaOpt', 'alpha_opt', 'alpha'),
      },
    ),
  fixedSampleNTreatment: (input) =>
    fixedSampleCandidateRequests({
      stableRate: input.number('pc'),
      candidateRate: input.number('pt'),
      share: input.number('w'),
      alpha: input.numberOr(0.05, 'alpha'),
      power: input.numberOr(0.8, 'power'),
    }),
};

function evaluatePlan(input: VectorInput): unknown {
  const stableRate = input.number('pc');
  const candidateRate = input.number('pt');
  // Equal rates are the plan of a gate: the effect is the distance to its margin.
  const limit = input.numberOr(candidateRate === stableRate ? input.numberOr(0, 'effect') : 0, 'theta0');
  const plan = planTest({
    side:
      Math.log(candidateRate / (1 - candidateRate)) - Math.log(stableRate / (1 - stableRate)) < limit
        ? 'less'
        : 'greater',
    stableRate,
    candidateRate,
    share: input.number('w'),
    limit,
    typicalEffect: input.numberOr(0.4, 'dStar'),
    alpha: input.number('alphaMetric'),
    stageShare: input.numberOr(1, 'piStage'),
    designEffect: input.numberOr(1, 'deff'),
    power: input.numberOr(0.8, 'power'),
  });
  if (plan === null) return null;
  const requestsPerSecond = input.number('rps');
  return {
    threshold_nats: plan.thresholdNats,
    n_total_mean: plan.total.mean,
    n_total_power: plan.total.atPower,
    n_t_mean: plan.candidate.mean,
    n_t_power: plan.candidate.atPower,
    seconds_mean: plan.total.mean / requestsPerSecond,
    seconds_power: plan.total.atPower / requestsPerSecond,
  };
}

/** A family's values and weights, given as lists (then named by index) or as objects by name. */
function family(input: VectorInput): {
  readonly names: readonly (string | number)[];
  readonly values: readonly number[];
  readonly weights: readonly number[];
} {
  const logE = input.record('logE');
  const weights = input.record('a');
  const keys = Object.keys(logE);
  return {
    names: Array.isArray(input.raw('logE')) ? keys.map(Number) : keys,
    values: Object.values(logE),
    weights: Array.isArray(input.raw('a')) ? Object.values(weights) : keys.map((key) => weights[key] ?? Number.NaN),
  };
}

function bucketCounts(input: VectorInput): BucketCounts {
  return { trials: input.numbers('n'), events: input.numbers('s') };
}

function tableAsList(table: Table): readonly number[] {
  return [table.candidateEvents, table.candidateTrials, table.stableEvents, table.stableTrials];
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
