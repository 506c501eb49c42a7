import type { Register } from '../program.js';
import { controlCommand } from '../control.js';

/** `sluice rollback`: all traffic back to stable, before anything else. */
export const registerRollback: Register = (program, io) => {
  controlCommand(program, io, 'rollback', 'Send all traffic back to the stable model, now.');
};
