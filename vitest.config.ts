import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schemas,state,log,topology,processors,sinks,sources,models,serving,cli,tests}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'tests/long/**'],
    testTimeout: 30_000,
  },
});
