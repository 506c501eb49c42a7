import type { Baselines } from '../../plan/forecast/baseline.js';

/** What was measured of a route. */
export interface MeasuredTraffic {
  /** null = the measurement does not tell. */
  readonly requestsPerSecond: number | null;
  readonly baselines: Baselines;
}
