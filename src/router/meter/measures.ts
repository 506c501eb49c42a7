import type { Metering } from '../../plan/split.js';
import type { HistogramSpec } from '../../plan/types.js';
import { signalOf } from './signals.js';
import type { Signal } from './signals.js';

/** One histogram that is really counted; guardrails that cut a signal alike share it. */
export interface SharedHistogram {
  readonly signal: Signal;
  readonly spec: HistogramSpec;
  /** Guardrails that get it, with the stage's fixed bucket above which a request counts as an exceedance. */
  readonly guardrails: readonly { readonly name: string; readonly thresholdIndex: number | null }[];
}

/** What a generation's split asks to be measured, resolved once. */
export function sharedHistograms(metering: Metering): readonly SharedHistogram[] {
  const shared = new Map<
    string,
    { signal: Signal; spec: HistogramSpec; guardrails: SharedHistogram['guardrails'][number][] }
  >();
  for (const [name, { gamma, xMin, thresholdIndex }] of Object.entries(metering.histograms)) {
    const signal = signalOf(name);
    if (signal === null) continue;
    const key = `${signal} ${gamma} ${xMin}`;
    const entry = shared.get(key) ?? { signal, spec: { gamma, xMin }, guardrails: [] };
    entry.guardrails.push({ name, thresholdIndex });
    shared.set(key, entry);
  }
  return [...shared.values()];
}
