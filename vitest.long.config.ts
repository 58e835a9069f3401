import { defineConfig } from 'vitest/config';

/** The long tests: crashes, whole data sets, the package as a user gets it. One file at a time: several of them load every core. */
export default defineConfig({
  test: {
    include: ['tests/{long,strain}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    passWithNoTests: true,
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 5 * 60_000,
  },
});
