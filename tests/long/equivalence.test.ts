import fc from 'fast-check';
import { describe, it } from 'vitest';
import { sameAsOneAtATime } from '../equivalence/equivalence.ts';
import { atFullSize } from '../support/at-full-size.ts';

/** The property of tests/equivalence over more, larger topologies and longer histories. MILLRACE_SEED repeats a run. */
/** Of the histories below as many as a proof looks at; else a fifth. */
const share = atFullSize ? 1 : 0.2;
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31);

describe(`batches give the same results as one record at a time, at length (seed ${seed})`, () => {
  it.each([
    { title: 'with every update forwarded', caching: false, maxPartitions: 1, maxSteps: 24, numRuns: 1_500 },
    {
      title: 'with updates kept back in the record cache',
      caching: true,
      maxPartitions: 1,
      maxSteps: 24,
      numRuns: 800,
    },
    { title: 'over several partitions', caching: false, maxPartitions: 4, maxSteps: 24, numRuns: 800 },
    { title: 'over small topologies', caching: false, maxPartitions: 1, maxSteps: 5, numRuns: 2_000 },
  ])('$title', { timeout: 600_000 }, async ({ caching, maxPartitions, maxSteps, numRuns }) => {
    await fc.assert(sameAsOneAtATime({ caching, maxPartitions, maxSteps, maxRounds: 5 }), {
      seed,
      numRuns: numRuns * share,
    });
  });
});
