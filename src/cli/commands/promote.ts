import type { Register } from '../program.js';
import { controlCommand } from '../control.js';

/** `sluice promote`: on to the next stage now, or with --to-end to the candidate alone. */
export const registerPromote: Register = (program, io) => {
  controlCommand(program, io, 'promote', 'Take a rollout to its next stage now, whatever its gates say.').option(
    '--to-end',
    'to the candidate alone, at once: no further stage, no bake',
  );
};
