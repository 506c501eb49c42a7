/**
 * Every side effect of a rollout. `createActivities` gives the functions that a worker registers; each is in a file of its
 * own and idempotent, since Temporal runs an activity at least once.
 */
import { assess } from './assess.js';
import { Assessments } from './assessments.js';
import { checkGates } from './check-gates.js';
import { worldOf } from './dependencies.js';
import type { ActivityDependencies } from './dependencies.js';
import { activity } from './failure.js';
import { notify } from './notify.js';
import { openRollout } from './open-rollout.js';
import { reconcileRoutes } from './reconcile-routes.js';
import { recordDecision } from './record-decision.js';
import { sampleTraffic } from './sample-traffic.js';
import type { Bookmarks } from './sample-traffic.js';
import { setSplit } from './set-split.js';
import type { Activities } from './types.js';

export type { ActivityDependencies, ActivityLog, Clock } from './dependencies.js';
export type { Activities } from './types.js';

/** The activities over these dependencies; create them once per worker, they keep assessments at hand between calls. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const world = worldOf(dependencies);
  const assessments = new Assessments(world.ledger);
  const bookmarks: Bookmarks = new Map();
  return {
    openRollout: activity((input) => openRollout(world, input)),
    setSplit: activity((input) => setSplit(world, input)),
    sampleTraffic: activity((input) => sampleTraffic(world, assessments, bookmarks, input)),
    assess: activity((input) => assess(world, assessments, input)),
    checkGates: activity((input) => checkGates(world, input)),
    reconcileRoutes: activity((input) => reconcileRoutes(world, input)),
    notify: activity((input) => notify(world, input)),
    recordDecision: activity((input) => recordDecision(world, input)),
  };
}
