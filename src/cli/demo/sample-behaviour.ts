/** How a sample endpoint behaves; every number may change while it serves. */
export interface SampleBehaviour {
  /** Median time of a whole answer, ms. */
  readonly latencyMedianMs: number;
  /** Standard deviation of its natural logarithm. */
  readonly latencyLogSd: number;
  /** Part of that time until the first token of a stream, 0..1. */
  readonly firstTokenShare: number;
  readonly tokensMedian: number;
  readonly tokensLogSd: number;
  /** Share of requests answered with 500. */
  readonly errorRate: number;
  /** Share of answers that decline, half of them in their text, half in the refusal field. */
  readonly refusalRate: number;
  /** Share of requests that are never answered. */
  readonly hangRate: number;
  /** Share of cached prompts that are read as if they were not: a worse cache, without an effect on latency. */
  readonly cacheMissRate: number;
}

export const DEFAULT_BEHAVIOUR: SampleBehaviour = {
  latencyMedianMs: 120,
  latencyLogSd: 0.5,
  firstTokenShare: 0.25,
  tokensMedian: 60,
  tokensLogSd: 0.6,
  errorRate: 0.01,
  refusalRate: 0.02,
  hangRate: 0,
  cacheMissRate: 0.3,
};
