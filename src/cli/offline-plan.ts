import { freezePlan } from '../plan/freeze.js';
import { upstreamName } from '../plan/ids.js';
import { parsePlanFile } from '../plan/plan-file.js';
import type { PlanFile } from '../plan/plan-file.js';
import type { Plan } from '../plan/types.js';

/** Stands for the stable upstream where nobody calls it. */
const ANY_STABLE = upstreamName('the-stable-upstream');

/**
 * A plan from its file for commands that only compute: no `sluice.yaml` is asked, so its names may mean anything.
 * @throws SluiceError `plan-invalid` with every problem of the plan
 */
export function readPlanOffline(path: string): Plan {
  const file = parsePlanFile(path);
  return planOffline(file.written, file);
}

/** The same of a plan as written, with the places of its errors when it comes from a file. */
export function planOffline(written: unknown, places: Partial<PlanFile> = {}): Plan {
  return freezePlan(written, { ...places, config: null, stable: stableOf(written) });
}

/** A frozen plan names its stable upstream itself. */
function stableOf(written: unknown): Plan['stable'] {
  const isObject = typeof written === 'object' && written !== null;
  return isObject && 'stable' in written && typeof written.stable === 'string'
    ? upstreamName(written.stable)
    : ANY_STABLE;
}
