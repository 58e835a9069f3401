/** Moments of the database at which a test may end the process (tests/kill). Unset in every other life of the process. */
export const engineFaults = {
  /**
   * `writing`: RocksDB has a batch and has not answered. `flushing`: it has been told to move a family's memtable to a
   * file and has not answered; `flushed`: all families are done.
   */
  reached: undefined as ((point: 'writing' | 'flushing' | 'flushed') => void) | undefined,
};
