/** Sums up the checks and the tests of one run in its last line: ci-summary.mjs DIRECTORY EXIT-CODE-OF-THE-TESTS. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '.', testsExitCode = '1'] = process.argv.slice(2);
const checks = readChecks(join(directory, 'check.txt'));
const tests = readTests(join(directory, 'tests.json'));
const passed = checks.passed + tests.passed;
let failed = checks.failed + tests.failed;
// A test file that cannot be loaded or an unhandled error fails no single test, and must not pass unseen.
if (testsExitCode !== '0' && tests.failed === 0) failed += 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function readChecks(/** @type {string} */ file) {
  const [, passed, failed] = /^check: (\d+) passed, (\d+) failed$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return passed === undefined ? { passed: 0, failed: 1 } : { passed: Number(passed), failed: Number(failed) };
}

function readTests(/** @type {string} */ file) {
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
  return { passed: Number(numPassedTests), failed: Number(numFailedTests) };
}
