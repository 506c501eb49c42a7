import type { Table } from '../../src/statistics/table.js';

/** What happened between two looks. */
export interface Batch extends Table {
  /** Bad events among as many requests of stable as the candidate had: for a judge that wants an equal baseline. */
  readonly matchedStableEvents: number;
}

/** A rule that may stop a rollout, followed through one simulated run. */
export interface SequentialTest {
  /** Uses a batch and looks: true when the candidate is called worse. */
  add(batch: Batch): boolean;
}

/** A rule by name; each run begins with a fresh one. */
export interface Method {
  readonly name: string;
  readonly begin: () => SequentialTest;
}

/** Looks after which each rule first stopped, by method; Infinity for those that never did within `looks`. */
export function firstStops(methods: readonly Method[], looks: number, draw: (look: number) => Batch): number[] {
  const stops = methods.map(() => Infinity);
  const running = methods.map((method, index) => ({ index, test: method.begin() }));
  for (let look = 1; look <= looks && running.length > 0; look++) {
    const batch = draw(look);
    for (let place = running.length - 1; place >= 0; place--) {
      const one = running[place];
      if (!one?.test.add(batch)) continue;
      stops[one.index] = look;
      running.splice(place, 1);
    }
  }
  return stops;
}
