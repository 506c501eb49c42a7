import { SluiceError } from '../../../plan/failures.js';

/** Why the real models cannot be had or started, what the tools said, and the next step. */
export function modelsError(problem: string, nextStep: string, details = ''): SluiceError {
  return new SluiceError('models-unavailable', `${problem}; ${nextStep}${details === '' ? '' : `\n${details}`}`);
}
