/** From what a poll saw to the evidence state that the workflow knows: pure. */
import type { EvidenceState } from '../../src/evidence/look.js';
import type { HardStopVerdict } from '../../src/statistics/assessment/hard-stop.js';
import type { MemberReading } from './member-reading.js';
import { persist, startPersistence } from './persistence.js';
import type { Persistence } from './persistence.js';
import type { TrafficWatch } from './traffic-watch.js';

export interface EvidenceCondition {
  readonly convergence: Persistence;
  readonly clocks: Persistence;
  readonly sourceDown: string | null;
  readonly quiet: boolean;
}

export interface NamedState {
  readonly state: EvidenceState;
  /** Which member, which clock, how many requests; empty for `ok`. */
  readonly detail: string;
}

/** The condition that the workflow knows of. */
export function startCondition(state: EvidenceState): EvidenceCondition {
  const known = (name: EvidenceState): string | null => (state === name ? 'as before' : null);
  return {
    convergence: startPersistence(known('router-not-converged')),
    clocks: startPersistence(known('clock-skew')),
    sourceDown: known('source-down'),
    quiet: state === 'no-traffic',
  };
}

export interface Observation {
  readonly readings: readonly MemberReading[];
  /** Addresses of the fleet as configured; null = not known. */
  readonly listed: ReadonlySet<string> | null;
  readonly skew: string | null;
  readonly hardStop: HardStopVerdict;
  readonly traffic: Pick<TrafficWatch, 'quiet'>;
}

/** The condition after a poll. */
export function observe(condition: EvidenceCondition, seen: Observation): EvidenceCondition {
  const { readings, listed, hardStop } = seen;
  const problems = readings.flatMap((reading) => {
    // Who left the fleet may be gone for good: it is no part of it that could converge.
    if (reading.kind === 'silent' && listed !== null && !listed.has(reading.member.address)) return [];
    return problemOf(reading) ?? [];
  });
  return {
    convergence: persist(condition.convergence, problems.length === 0 ? null : problems.join('; ')),
    clocks: persist(condition.clocks, seen.skew),
    sourceDown: hardStop.kind === 'source-down' ? sourceDownOf(hardStop) : null,
    quiet: seen.traffic.quiet,
  };
}

/** The worst of what stands: without converged routers nothing else can be told for sure. */
export function nameState(condition: EvidenceCondition): NamedState {
  if (condition.convergence.standing !== null) {
    return { state: 'router-not-converged', detail: condition.convergence.standing };
  }
  if (condition.clocks.standing !== null) return { state: 'clock-skew', detail: condition.clocks.standing };
  if (condition.sourceDown !== null) return { state: 'source-down', detail: condition.sourceDown };
  if (condition.quiet) return { state: 'no-traffic', detail: 'no request started on the route' };
  return { state: 'ok', detail: '' };
}

function problemOf(reading: MemberReading): string | null {
  if (reading.kind === 'silent') return reading.error.message;
  const { standing, member } = reading;
  switch (standing.kind) {
    case 'in-force':
    case 'mended':
      return null;
    case 'unmended':
      return standing.why;
    case 'foreign':
      return `${member.address} ${standing.why}`;
    case 'expired':
      return `the lease ran out at ${member.address}: the split is not in force there`;
  }
}

function sourceDownOf({ starts }: Extract<HardStopVerdict, { kind: 'source-down' }>): string {
  const of = ({ started, failed }: { readonly started: number; readonly failed: number }): string =>
    `${failed} of ${started}`;
  return `in the last minute ${of(starts.stable)} requests failed at stable and ${of(starts.candidate)} at the candidate`;
}
