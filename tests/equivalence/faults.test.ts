import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { faults } from '../../topology/runtime/faults.ts';
import { sameAsOneAtATime, type PropertyOptions } from './equivalence.ts';

/**
 * A test that nothing can fail shows nothing. Each of these faults, switched on in the runtime, makes the property fail
 * within the runs of one seed; with the fault off the same runs pass.
 */
const options: PropertyOptions = { caching: false, maxPartitions: 1, maxSteps: 12, maxRounds: 3 };

const seeded = [
  { fault: 'swappedMergeOrder', options },
  { fault: 'staleRead', options },
  { fault: 'lostFlush', options: { ...options, caching: true } },
  { fault: 'wrongWindowEdge', options },
  { fault: 'skippedPunctuation', options },
] as const;

afterEach(() => {
  for (const { fault } of seeded) faults[fault] = false;
});

describe('the property is failed by a runtime with', () => {
  it.each(seeded)('$fault', { timeout: 120_000 }, async ({ fault, options: of }) => {
    faults[fault] = true;
    const found = await fc.check(sameAsOneAtATime(of), { seed: 11, numRuns: 100, endOnFailure: true });
    expect(found.failed, `no counterexample in ${found.numRuns} runs`).toBe(true);
    const message = found.errorInstance instanceof Error ? found.errorInstance.message : '';
    expect(message, 'failed by a difference, not by an error').toMatch(/^(sink|store|peek) /);

    faults[fault] = false;
    const sound = await fc.check(sameAsOneAtATime(of), { seed: 11, numRuns: found.numRuns });
    expect(sound.failed).toBe(false);
  });
});
