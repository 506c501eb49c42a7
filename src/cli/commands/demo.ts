import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { outcomeLine, type ScenarioResult } from '../demo/outcome-line.js';
import { runScenario } from '../demo/run-scenario.js';
import { DEFAULT_SCENARIOS, isScenarioName, SCENARIOS, type ScenarioName } from '../demo/scenarios.js';
import { EXIT } from '../exit-codes.js';
import type { Io } from '../io.js';
import type { Register } from '../program.js';

interface DemoFlags {
  readonly scenario?: ScenarioName;
  readonly json?: true;
}

/** `sluice demo`: whole rollouts in front of sample endpoints; exits 0 when each ended as it should. */
export const registerDemo: Register = (program, io, result) => {
  program
    .command('demo')
    .description('Watch a release walk through its five stages, and a bad one being caught.')
    .option('--scenario <name>', `one of ${Object.keys(SCENARIOS).join(', ')}`, parseScenario)
    .option('--json', 'print one JSON value')
    .action(async (flags: DemoFlags) => {
      const names = flags.scenario === undefined ? DEFAULT_SCENARIOS : [flags.scenario];
      const results = await runAll(names, io, flags.json !== true && io.interactive);
      if (flags.json !== true) io.print(results.map(outcomeLine).join('\n'));
      else io.print(JSON.stringify(flags.scenario === undefined ? results : results[0]));
      if (results.some((one) => !one.asExpected)) result.exitCode = EXIT.error;
    });
};

function parseScenario(value: string): ScenarioName {
  if (isScenarioName(value)) return value;
  throw new InvalidArgumentError(`choose one of ${Object.keys(SCENARIOS).join(', ')}`);
}

async function runAll(names: readonly ScenarioName[], io: Io, live: boolean): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const name of names) {
    const result = await runScenario(SCENARIOS[name], join(io.cwd, '.sluice', 'demo'), io, live);
    io.note(outcomeLine(result));
    results.push(result);
  }
  return results;
}
