import { defineConfig } from 'vitest/config';

/**
 * The unit tests: `npm test`. What takes minutes, or fills a disk, stands in tests/long and tests/strain and runs under
 * vitest.long.config.ts; what needs real servers stands in tests/kafka and runs under vitest.services.config.ts.
 */
export default defineConfig({
  test: {
    include: ['{schemas,state,log,topology,processors,sinks,sources,models,serving,cli,tests}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'tests/long/**', 'tests/strain/**', 'tests/kafka/**'],
    testTimeout: 30_000,
  },
});
