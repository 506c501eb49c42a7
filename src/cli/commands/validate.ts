import { SluiceError } from '../../plan/failures.js';
import { freezePlan } from '../../plan/freeze.js';
import { parsePlanFile } from '../../plan/plan-file.js';
import type { Plan } from '../../plan/types.js';
import { parseConfigFile } from '../../plan/config-file.js';
import { DocumentError } from '../../plan/problem.js';
import { addConfigFlag, type ConfigFlag } from '../config-flag.js';
import { EXIT } from '../exit-codes.js';
import { formatDuration, formatShare } from '../format.js';
import type { Register } from '../program.js';
import { findConfig } from '../workspace.js';

interface ValidateFlags extends ConfigFlag {
  readonly json?: true;
}

/** `sluice validate [PLAN]`: checks `sluice.yaml` and, when given, a plan against it; exits 2 with every problem. */
export const registerValidate: Register = (program, io, result) => {
  const command = program
    .command('validate')
    .description('Check a plan and sluice.yaml: every problem with its place, value and fix.')
    .argument('[plan]', 'plan file; without it only sluice.yaml is checked')
    .option('--json', 'print one JSON value: the frozen plan, or the problems');
  addConfigFlag(command).action((planPath: string | undefined, flags: ValidateFlags) => {
    try {
      const plan = check(planPath, findConfig(flags.config, io.env, io.cwd), (text) => io.note(text));
      if (flags.json === true) io.print(JSON.stringify({ valid: true, plan }));
      else io.print(plan === null ? 'sluice.yaml is valid' : describe(plan));
    } catch (error) {
      if (flags.json !== true || !(error instanceof DocumentError)) throw error;
      io.print(JSON.stringify({ valid: false, problems: error.problems }));
      result.exitCode = EXIT.usage;
    }
  });
};

function check(planPath: string | undefined, configPath: string | null, note: (text: string) => void): Plan | null {
  if (planPath === undefined && configPath === null) {
    throw new SluiceError('config-invalid', 'nothing to check: name a plan, or run where a sluice.yaml is');
  }
  const config = configPath === null ? null : parseConfigFile(configPath);
  if (planPath === undefined) return null;
  if (config === null) note('no sluice.yaml here: names of route and candidate are not checked');
  const file = parsePlanFile(planPath);
  return freezePlan(file.written, { ...file, config, stable: null });
}

function describe(plan: Plan): string {
  const stages = plan.stages.map(
    (stage) =>
      `  ${stage.name}: ${formatShare(stage.weights.candidate)} for ${formatDuration(stage.durationMs)}, then ${stage.onUndecided} if undecided`,
  );
  return [
    `${plan.route}: ${plan.stable} → ${plan.candidate} is valid (digest ${plan.digest.slice(0, 12)})`,
    ...stages,
  ].join('\n');
}
