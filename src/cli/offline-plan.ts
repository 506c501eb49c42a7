import { freezePlan } from '../plan/freeze.js';
import { upstreamName } from '../plan/ids.js';
import { parsePlanFile } from '../plan/plan-file.js';
import type { Plan } from '../plan/types.js';

/** Stands for the stable upstream where nobody calls it. */
const ANY_STABLE = upstreamName('the-stable-upstream');

/**
 * A plan from its file for commands that only compute: no `sluice.yaml` is asked, so its names may mean anything.
 * @throws SluiceError `plan-invalid` with every problem of the plan
 */
export function readPlanOffline(path: string): Plan {
  const file = parsePlanFile(path);
  return freezePlan(file.written, { ...file, config: null, stable: stableOf(file.written) });
}

/** A frozen plan names its stable upstream itself. */
function stableOf(written: unknown): Plan['stable'] {
  const isObject = typeof written === 'object' && written !== null;
  return isObject && 'stable' in written && typeof written.stable === 'string'
    ? upstreamName(written.stable)
    : ANY_STABLE;
}
