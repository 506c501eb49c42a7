import { defineConfig } from 'vitest/config';

/** For `scripts/record-histories.mjs` alone: recording is no test. */
export default defineConfig({ test: { include: ['test/replay/record-histories.ts'], fileParallelism: false } });
