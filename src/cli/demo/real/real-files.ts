/** The files of the package that the real models need. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findUpward } from '../../workspace.js';
import { modelsError } from './models-error.js';

/** Path of a file of `scripts/real`, from the compiled tree or from the sources alike. */
export function realFile(name: 'requirements.txt' | 'requantise.py' | 'serve.py'): string {
  const manifest = findUpward('package.json', dirname(fileURLToPath(import.meta.url)));
  const path = join(dirname(manifest ?? ''), 'scripts', 'real', name);
  if (manifest === null || !existsSync(path)) throw modelsError(`${path} is missing`, 'install sluice again');
  return path;
}
