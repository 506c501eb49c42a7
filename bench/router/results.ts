import { pairedDifferences, pairedRatios, spreadOf } from './figures.js';
import type { ByRound, Spread } from './figures.js';
import type { LoadReport } from './load.js';
import type { MeasurementName } from './settings.js';

/** One target, one measurement, one round. */
export interface Sample {
  readonly measurement: MeasurementName;
  readonly target: string;
  readonly round: number;
  readonly load: LoadReport;
  /** Of the target's processes while the load ran, µs; null = nothing stands between client and upstream, or no /proc. */
  readonly processorUs: number | null;
  /** Share of the requests that the candidate got. */
  readonly candidateShare: number;
}

/** A request that failed voids its round: what a broken answer costs is not what is measured. */
export function isVoid({ load }: Sample): boolean {
  return load.failed > 0 || load.otherStatus > 0 || load.requests === 0;
}

/** What is read of a sample. */
export type Reading = (sample: Sample) => number | null;

export const READINGS = {
  requestsPerSecond: ({ load }) => load.requests / load.seconds,
  eventsPerSecond: ({ load }) => load.events / load.seconds,
  processorUs: ({ load, processorUs }) => (processorUs === null ? null : processorUs / load.requests),
  processorUsPerEvent: ({ load, processorUs }) => (processorUs === null ? null : processorUs / load.events),
  p50Us: ({ load }) => load.latencyUs?.p50 ?? null,
  p99Us: ({ load }) => load.latencyUs?.p99 ?? null,
  firstTokenUs: ({ load }) => load.ttftUs?.p50 ?? null,
  candidateShare: ({ candidateShare }) => candidateShare,
} satisfies Readonly<Record<string, Reading>>;

export class Results {
  readonly samples: readonly Sample[];
  readonly rounds: number;

  constructor(samples: readonly Sample[], rounds: number) {
    this.samples = samples;
    this.rounds = rounds;
  }

  get voids(): readonly Sample[] {
    return this.samples.filter(isVoid);
  }

  has(measurement: MeasurementName, target: string): boolean {
    return this.samples.some((sample) => sample.measurement === measurement && sample.target === target);
  }

  byRound(measurement: MeasurementName, target: string, read: Reading): ByRound {
    const values: (number | null)[] = Array.from({ length: this.rounds }, () => null);
    for (const sample of this.samples) {
      if (sample.measurement !== measurement || sample.target !== target || isVoid(sample)) continue;
      values[sample.round] = read(sample);
    }
    return values;
  }

  spread(measurement: MeasurementName, target: string, read: Reading): Spread | null {
    return spreadOf(this.byRound(measurement, target, read).filter((value) => value !== null));
  }

  /** `ours` ÷ `theirs`, paired by round. */
  ratio(measurement: MeasurementName, [ours, theirs]: readonly [string, string], read: Reading): readonly number[] {
    return pairedRatios(this.byRound(measurement, ours, read), this.byRound(measurement, theirs, read));
  }

  /** `ours` − `theirs`, paired by round. */
  difference(
    measurement: MeasurementName,
    [ours, theirs]: readonly [string, string],
    read: Reading,
  ): readonly number[] {
    return pairedDifferences(this.byRound(measurement, ours, read), this.byRound(measurement, theirs, read));
  }
}

/** Memory of a gateway that has been started for nothing else, bytes; `perIdleStream` null = not measured. */
export interface Memory {
  readonly target: string;
  readonly resident: number;
  readonly perIdleStream: number | null;
}
