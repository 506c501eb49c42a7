import { resolveTemporalBinary, temporalExecutable } from '../../src/temporal/binaries.js';
import type { TemporalExecutable } from '../../src/temporal/binaries.js';

/** The Temporal CLI for tests that start it by themselves; null when only the SDK's own download remains. */
export function temporalCliPath(): string | null {
  return resolveTemporalBinary('temporal').path;
}

/** For `TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })`. */
export function testServerExecutable(): TemporalExecutable {
  return temporalExecutable('temporal-test-server');
}

/** For `TestWorkflowEnvironment.createLocal({ server: { executable } })`. */
export function devServerExecutable(): TemporalExecutable {
  return temporalExecutable('temporal');
}
