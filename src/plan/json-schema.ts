/** JSON Schemas of the two files, for editors. */
import { z } from 'zod';
import { writtenConfig } from './config-schema.js';
import { writtenPlan } from './plan-schema.js';

/** JSON Schema (draft 2020-12) of a plan file. */
export function planJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(writtenPlan, { io: 'input' }), title: 'A plan of sluice' };
}

/** JSON Schema (draft 2020-12) of `sluice.yaml`. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(writtenConfig, { io: 'input' }), title: 'sluice.yaml' };
}
