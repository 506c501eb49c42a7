/** Entry of the command: bin imports this file, and the process ends with the command's exit code. */
import { processIo } from './io.js';
import { run } from './program.js';

const exitCode = await run(process.argv.slice(2), processIo());
// Explicit: what still waits (a query, a timer) must not keep a finished command alive.
process.exit(exitCode);
