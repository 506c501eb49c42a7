import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

// The SDK's own log lines of a worker that a test starts and stops would bury the test's result.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});
