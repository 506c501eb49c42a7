import { renderAnalysis } from '../analyze/analysis-view.js';
import { analyzeLines } from '../analyze/analyze-lines.js';
import type { Analysis } from '../analyze/analyze-lines.js';
import { parseDurationFlag } from '../duration-flag.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import { readPlanOffline } from '../offline-plan.js';
import type { Register } from '../program.js';

interface AnalyzeFlags {
  readonly plan: string;
  readonly reorder: number;
  readonly json?: true;
}

const REORDER_MS = 60_000;

/** `sluice analyze --plan PLAN FILE`: exits 0 no action or a flag, 3 rollback, 4 hold. */
export const registerAnalyze: Register = (program, io, result) => {
  program
    .command('analyze')
    .description('Assess logged requests as a rollout would have: the same verdicts, offline.')
    .argument('<file>', 'one JSON object a line, a line per request; - reads standard input')
    .requiredOption('--plan <plan>', 'plan file')
    .option(
      '--reorder <duration>',
      'how much later than a newer line an older one may come',
      parseDurationFlag,
      REORDER_MS,
    )
    .option('--json', 'print one JSON value')
    .action(async (path: string, flags: AnalyzeFlags) => {
      const plan = readPlanOffline(flags.plan);
      const analysis = await analyzeLines(plan, path, { reorderMs: flags.reorder });
      io.print(flags.json === true ? JSON.stringify(analysis) : renderAnalysis(analysis));
      result.exitCode = exitCodeOf(analysis.action);
    });
};

function exitCodeOf(action: Analysis['action']): ExitCode {
  switch (action) {
    case 'none':
    case 'flag':
      return EXIT.ok;
    case 'hold':
      return EXIT.held;
    case 'rollback':
      return EXIT.rolledBack;
  }
}
