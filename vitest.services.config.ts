import { defineConfig } from 'vitest/config';

/**
 * The tests against real servers, which they start themselves: Apache Kafka, a schema registry. They need Java 17 or newer and,
 * the first time, Maven. With `MILLRACE_CHAOS` (small, full) the chaos test alone: `npm run chaos`.
 */
export default defineConfig({
  test: {
    include: process.env['MILLRACE_CHAOS'] === undefined ? ['tests/kafka/*.test.ts'] : ['tests/kafka/chaos/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 5 * 60_000,
  },
});
