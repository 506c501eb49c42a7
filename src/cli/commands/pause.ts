import type { Register } from '../program.js';
import { controlCommand } from '../control.js';

/** `sluice pause`: stops the stage's clock and the ramp; guardrails stay on and the lease is renewed. */
export const registerPause: Register = (program, io) => {
  controlCommand(program, io, 'pause', 'Stop the clock of a rollout; guardrails stay on.');
};
