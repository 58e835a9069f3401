/**
 * Faults that only tests switch on, to show that the property test would notice them
 * (tests/equivalence). All off in every other life of the process.
 */
export const faults = {
  swappedMergeOrder: false,
  staleRead: false,
  lostFlush: false,
  wrongWindowEdge: false,
  skippedPunctuation: false,
  /** The commit writes its state changes and its offsets in two batches instead of one. */
  splitCommit: false,
  /** Called at named points of a unit of work: `after-poll`, `before-commit`, `after-commit` … */
  reached: undefined as ((point: string) => void) | undefined,
};
