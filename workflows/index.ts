/** The worker's entry: every export is a workflow type. Parts for pipelines of one's own are in `parts.ts`. */
export { rollout } from './rollout.js';
