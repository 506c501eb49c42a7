import type { Register } from '../program.js';
import { configJsonSchema, planJsonSchema } from '../../plan/json-schema.js';

/** `sluice schema`: the JSON Schema that editors complete and check with. */
export const registerSchema: Register = (program, io) => {
  program
    .command('schema')
    .description('Print the JSON Schema of a plan, or of sluice.yaml with --config.')
    .option('--config', 'of sluice.yaml')
    .action((options: { config?: true }) => {
      io.print(JSON.stringify(options.config === true ? configJsonSchema() : planJsonSchema(), null, 2));
    });
};
