/**
 * The parts that `rollout` is made of, for pipelines of a team's own: `import { runStage } from 'sluice/workflows/parts'` in a
 * module of workflows. They are no workflows themselves, so that a worker's entry must not export them.
 */
export { advance } from './advance.js';
export { decide } from './decide.js';
export type { Action, Situation } from './decide.js';
export { listen, signals, statusQuery, updates } from './messages.js';
export type { Messages } from './messages.js';
export { open } from './open.js';
export type { OpenOptions } from './open.js';
export { orRollBack } from './or-roll-back.js';
export { promote } from './promote.js';
export { keepStage, runStage } from './run-stage.js';
export { currentStage } from './run.js';
export type { Run } from './run.js';
export { statusOf } from './status.js';
export type { CommandInput, CommandName, CommandResult, RolloutInput, RolloutState } from './state.js';
