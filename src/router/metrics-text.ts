import { REFUSAL_RULE_VERSION } from '../comparison/refusal.js';
import type { RequestCounters } from './metrics.js';
import type { MirrorBudget } from './mirror-budget.js';
import type { RouteControl } from './split/route-control.js';
import type { Spool } from './spool/spool.js';
import type { Clock } from './clock.js';

export interface MeasuredRoute {
  readonly control: RouteControl;
  readonly spool: Spool;
}

/** Prometheus text, made when it is asked for; names of routes need no escaping. */
export function metricsText(
  routes: ReadonlyMap<string, MeasuredRoute>,
  counters: RequestCounters,
  mirror: MirrorBudget,
  clock: Clock,
): string {
  const lines: string[] = [];
  const family = (name: string, type: string, help: string, samples: readonly (readonly [string, number])[]): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples)
      lines.push(labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`);
  };
  const each = (sample: (route: string, of: MeasuredRoute) => readonly (readonly [string, number])[]) =>
    [...routes].flatMap(([route, of]) => sample(route, of));
  family('sluice_requests_total', 'counter', 'Requests that ended, by class.', counters.entries());
  family(
    'sluice_split_weight',
    'gauge',
    'Share of units per variant.',
    each((route, { control }) => [
      [`route="${route}",variant="stable"`, control.active.split.weights.stable],
      [`route="${route}",variant="candidate"`, control.active.split.weights.candidate],
    ]),
  );
  family(
    'sluice_split_generation',
    'gauge',
    'Generation of the split.',
    each((route, { control }) => [[`route="${route}"`, control.active.split.generation]]),
  );
  family(
    'sluice_split_in_force',
    'gauge',
    '0 once the lease has run out.',
    each((route, { control }) => [[`route="${route}"`, control.inForce ? 1 : 0]]),
  );
  family(
    'sluice_lease_seconds_left',
    'gauge',
    'Until the lease runs out; absent for a resting split.',
    each((route, { control }) => {
      const { lease } = control.active;
      return lease === null
        ? []
        : [[`route="${route}"`, Math.max(0, (lease.deadlineMonotonicMs - clock.monotonicMs()) / 1000)]];
    }),
  );
  family(
    'sluice_evidence_held_items',
    'gauge',
    'Evidence that waits for the ledger.',
    each((route, { spool }) => [[`route="${route}"`, spool.heldItems]]),
  );
  family(
    'sluice_evidence_held_bytes',
    'gauge',
    'Its size on disk.',
    each((route, { spool }) => [[`route="${route}"`, spool.heldBytes]]),
  );
  family('sluice_mirror_in_flight', 'gauge', 'Mirrored requests under way.', [['', mirror.underWay]]);
  const rule = `version="${REFUSAL_RULE_VERSION}"`;
  family('sluice_refusal_rule_info', 'gauge', 'Version of the wording rule behind refusal rates.', [[rule, 1]]);
  return `${lines.join('\n')}\n`;
}
