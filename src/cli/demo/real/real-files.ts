/** The files of the package that the real models need, found from the built sources and from a checkout alike. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findUpward } from '../../workspace.js';
import { modelsError } from './models-error.js';

/** Path of a file of `scripts/real` of this package. */
export function realFile(name: 'requirements.txt' | 'requantise.py' | 'serve.py'): string {
  const path = findUpward(`scripts/real/${name}`, dirname(fileURLToPath(import.meta.url)));
  if (path === null)
    throw modelsError(`scripts/real/${name} is missing from the installed package`, 'install sluice again');
  return path;
}
