import type { Register } from '../program.js';
import { controlCommand } from '../control.js';

/** `sluice resume`: lets the clock run on; from a hold it acknowledges the guardrails that caused it. */
export const registerResume: Register = (program, io) => {
  controlCommand(program, io, 'resume', 'Let a paused or held rollout go on; acknowledges what held it.');
};
