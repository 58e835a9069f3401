import fc from 'fast-check';
import { describe, it } from 'vitest';
import { sameAsOneAtATime } from './equivalence.ts';

/**
 * Every run draws new topologies; the seed of a failure is printed, and MILLRACE_SEED runs it again. The long version,
 * with more and larger topologies, is tests/long/equivalence.test.ts.
 */
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31);

describe(`batches give the same results as one record at a time (seed ${seed})`, () => {
  it.each([
    { title: 'with every update forwarded', caching: false, maxPartitions: 1, numRuns: 250 },
    { title: 'with updates kept back in the record cache', caching: true, maxPartitions: 1, numRuns: 120 },
    { title: 'over several partitions', caching: false, maxPartitions: 3, numRuns: 80 },
  ])('$title', { timeout: 120_000 }, async ({ caching, maxPartitions, numRuns }) => {
    await fc.assert(sameAsOneAtATime({ caching, maxPartitions, maxSteps: 12, maxRounds: 3 }), { seed, numRuns });
  });
});
