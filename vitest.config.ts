import { defineConfig } from 'vitest/config';

/** The unit tests: `npm test`. What takes minutes stands in tests/long and runs under vitest.long.config.ts. */
export default defineConfig({
  test: {
    include: ['{schemas,state,log,topology,processors,sinks,sources,models,serving,cli,tests}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'tests/long/**'],
    testTimeout: 30_000,
  },
});
