/** Every command, in the order of the help. */
import { registerAnalyze } from './commands/analyze.js';
import { registerDemo } from './commands/demo.js';
import { registerDoctor } from './commands/doctor.js';
import { registerExplain } from './commands/explain.js';
import { registerForecast } from './commands/forecast.js';
import { registerList } from './commands/list.js';
import { registerPause } from './commands/pause.js';
import { registerPromote } from './commands/promote.js';
import { registerResume } from './commands/resume.js';
import { registerRollback } from './commands/rollback.js';
import { registerRouter } from './commands/router.js';
import { registerSchema } from './commands/schema.js';
import { registerStart } from './commands/start.js';
import { registerStatus } from './commands/status.js';
import { registerTemporal } from './commands/temporal.js';
import { registerUp } from './commands/up.js';
import { registerValidate } from './commands/validate.js';
import { registerWorker } from './commands/worker.js';
import type { Register } from './program.js';

export const ALL_COMMANDS: readonly Register[] = [
  registerUp,
  registerDemo,
  registerStart,
  registerStatus,
  registerList,
  registerPause,
  registerResume,
  registerPromote,
  registerRollback,
  registerExplain,
  registerForecast,
  registerAnalyze,
  registerValidate,
  registerSchema,
  registerRouter,
  registerWorker,
  registerDoctor,
  registerTemporal,
];
