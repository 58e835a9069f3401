import { defineConfig } from 'vitest/config';
import { atFullSize } from './tests/support/at-full-size.ts';

/** Minutes each, and what they show is near what another one does (readme-walk, memory-bound, equality): as a proof only. */
const proofs = ['start-dataset', 'catalogue-size', 'uci-two-inputs'].map((name) => `tests/long/${name}.test.ts`);

/** The long tests: crashes, whole data sets, the package as a user gets it. One file at a time: several of them load every core. */
export default defineConfig({
  test: {
    include: ['tests/{long,strain}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', ...(atFullSize ? [] : proofs)],
    passWithNoTests: true,
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 5 * 60_000,
  },
});
