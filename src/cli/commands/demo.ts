import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { outcomeLine, type ScenarioResult } from '../demo/outcome-line.js';
import { interruption } from '../demo/interruption.js';
import { prepareRealModels } from '../demo/real/prepare-real-models.js';
import { REAL_SCENARIOS } from '../demo/real/real-scenarios.js';
import { runRealScenario } from '../demo/real/run-real-scenario.js';
import type { DemoSetting } from '../demo/run-on-stack.js';
import { runScenario } from '../demo/run-scenario.js';
import { DEFAULT_SCENARIOS, isScenarioName, SCENARIOS, type ScenarioName } from '../demo/scenarios.js';
import { EXIT } from '../exit-codes.js';
import type { Register } from '../program.js';

interface DemoFlags {
  readonly scenario?: ScenarioName;
  readonly real?: true;
  readonly json?: true;
}

/** `sluice demo`: whole rollouts in front of sample endpoints or real models; exits 0 when each ended as it should. */
export const registerDemo: Register = (program, io, result) => {
  program
    .command('demo')
    .description('Watch a release walk through its five stages, and a bad one being caught.')
    .option('--scenario <name>', `one of ${Object.keys(SCENARIOS).join(', ')}`, parseScenario)
    .option('--real', 'two real models on llama.cpp instead of sample endpoints (installs 220 MB once)')
    .option('--json', 'print one JSON value')
    .action(async (flags: DemoFlags) => {
      const watching = { io, live: flags.json !== true && io.interactive, interrupted: interruption() };
      const results = flags.real === true ? await runReal(watching) : await runSamples(namesOf(flags), watching);
      if (flags.json !== true) io.print(results.map(outcomeLine).join('\n'));
      else io.print(JSON.stringify(flags.scenario === undefined ? results : results[0]));
      if (results.some((one) => !one.asExpected)) result.exitCode = EXIT.error;
    });
};

function parseScenario(value: string): ScenarioName {
  if (isScenarioName(value)) return value;
  throw new InvalidArgumentError(`choose one of ${Object.keys(SCENARIOS).join(', ')}`);
}

function namesOf(flags: DemoFlags): readonly ScenarioName[] {
  return flags.scenario === undefined ? DEFAULT_SCENARIOS : [flags.scenario];
}

type Watching = Omit<DemoSetting, 'directory'>;

async function runSamples(names: readonly ScenarioName[], watching: Watching): Promise<readonly ScenarioResult[]> {
  const setting = { ...watching, directory: join(watching.io.cwd, '.sluice', 'demo') };
  const results: ScenarioResult[] = [];
  for (const name of names) results.push(await runScenario(SCENARIOS[name], setting));
  return results;
}

async function runReal(watching: Watching): Promise<readonly ScenarioResult[]> {
  const { io } = watching;
  const directory = join(io.cwd, '.sluice', 'real');
  const models = await prepareRealModels({ directory, note: (text) => io.note(text), env: io.env });
  const setting = { ...watching, directory: join(directory, 'demo') };
  const results: ScenarioResult[] = [];
  for (const scenario of Object.values(REAL_SCENARIOS)) results.push(await runRealScenario(scenario, models, setting));
  return results;
}
