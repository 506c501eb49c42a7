/** What a histogram counts; the name of its guardrail says it. */
export type Signal = 'latency' | 'ttft' | 'tokens';

/** null for a name that measures nothing here. */
export function signalOf(histogram: string): Signal | null {
  if (histogram.startsWith('latency_')) return 'latency';
  if (histogram.startsWith('ttft_')) return 'ttft';
  if (histogram.startsWith('tokens_')) return 'tokens';
  return null;
}
