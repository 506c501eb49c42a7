import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** The directory of the checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

export function inRoot(/** @type {string[]} */ ...parts) {
  return join(root, ...parts);
}
