import { requireCount, requireFinite, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';
import type { Histogram } from './histogram.js';
import { histogramEntries } from './histogram.js';
import { logSumExp } from './log-sum-exp.js';

/** How divergence excesses are counted and bet on. */
export interface ExcessOptions {
  /** H0: the mean excess is at most this. */
  readonly limit: number;
  /** Excesses are clipped to ±clip; default 0.5. */
  readonly clip?: number;
  /** Bins over −clip … clip; default 1000. */
  readonly bins?: number;
  /** Bets in the mixture; default 20. */
  readonly bets?: number;
}

const DEFAULT_CLIP = 0.5;
const DEFAULT_BINS = 1000;
const DEFAULT_BETS = 20;
/** The largest bet stakes 98 % of the capital on the worst outcome, so no outcome can bankrupt it. */
const LARGEST_STAKE = 0.98;
const WEIGHT_DECAY = 0.7;

/** −0.05·1000 must not fall into the bin below for the last bit of a product. */
const EDGE_SLACK = 1e-9;

/**
 * The bin of one pair's excess x = d(candidate, stable₁) − d(stable₂, stable₁): ⌊(clip(x) + c)·bins/(2c) + 1e-9⌋.
 *
 * Binned *down*, so a bin's value never exceeds its members' and the test stays valid. 0 … bins. Throws on NaN and
 * infinities. Source: method §7.2.
 */
export function excessBin(excess: number, clip = DEFAULT_CLIP, bins = DEFAULT_BINS): number {
  requireFinite(excess, 'excess');
  requirePositive(clip, 'clip');
  requireCount(bins);
  const clipped = Math.min(clip, Math.max(-clip, excess));
  return Math.min(bins, Math.floor(((clipped + clip) * bins) / (2 * clip) + EDGE_SLACK));
}

/**
 * ln E of "the candidate diverges from stable no more than stable from itself, plus the limit": H0: E[x] ≤ limit.
 *
 * ln Σ_i v_i·Π_b (1 + λ_i·(x_b − limit))^n_b, λ_i = 0.98·2^(−i/2)/(limit + clip), v_i ∝ 0.7^i: betting on a bounded mean
 * with a fixed grid of bets. Exact, needs only counts by bin (so it merges), and measures beyond stable's own
 * randomness, whatever that is. Nats. `counts` by bin as `excessBin` gives them; x_b is a bin's lower edge. Throws on
 * bad counts, a bin above `bins`, and unless −clip < limit < clip. Source: Waudby-Smith & Ramdas 2024; method §7.2.
 */
export function excessLogE(counts: Histogram, options: ExcessOptions): number {
  const { limit, clip = DEFAULT_CLIP, bins = DEFAULT_BINS, bets = DEFAULT_BETS } = options;
  requireFinite(limit, 'limit');
  requirePositive(clip, 'clip');
  requireCount(bins);
  requirePositive(bins, 'bins');
  requireCount(bets);
  requirePositive(bets, 'bets');
  if (Math.abs(limit) >= clip) throw new StatisticsError('out-of-range', 'limit must lie within the clip');
  const outcomes = histogramEntries(counts).map(([bin, count]) => {
    if (bin > bins) throw new StatisticsError('out-of-range', 'bin is out of range');
    return { gain: (bin * 2 * clip) / bins - clip - limit, count };
  });
  const logWeightSum = Math.log((1 - WEIGHT_DECAY ** bets) / (1 - WEIGHT_DECAY));
  const logs = Array.from({ length: bets }, (_, i) => {
    const bet = (LARGEST_STAKE * 2 ** (-i / 2)) / (limit + clip);
    const logWealth = outcomes.reduce((sum, { gain, count }) => sum + count * Math.log1p(bet * gain), 0);
    return i * Math.log(WEIGHT_DECAY) - logWeightSum + logWealth;
  });
  return logSumExp(logs);
}
