/** Moments of a write at which a test may end the process (crash.test.ts). Unset in every other life of the process. */
export const deltaFaults = {
  reached: undefined as ((point: FaultPoint) => void) | undefined,
};

/**
 * `data-written`: the files of a write are durable, nothing names them. `staged`: the commit's bytes are durable under a
 * temporary name. `committed`: the log has the entry. `checkpoint-written`: the Delta checkpoint is there and
 * `_last_checkpoint` does not name it.
 */
export type FaultPoint = 'data-written' | 'staged' | 'committed' | 'checkpoint-written';
