/** The digest that names a frozen plan. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import type { Plan } from './types.js';

/** sha256 (hex) of the canonical JSON of the plan without its digest. */
export function digestOf(plan: Omit<Plan, 'digest'>): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex');
}
