/**
 * When a life of the process ends. Named points are moments of the commit or of the database:
 *
 * | point                | the process dies                                                                      |
 * |----------------------|---------------------------------------------------------------------------------------|
 * | after-poll           | a task batch has run, its changes are in caches                                       |
 * | before-commit        | caches are flushed, hops are drained, nothing is staged                               |
 * | writing              | RocksDB has the commit's batch and has not answered                                   |
 * | after-commit         | the batch is durable; nobody has been told                                            |
 * | flushing             | RocksDB moves memtables to files                                                      |
 * | compacting           | RocksDB merges files                                                                  |
 * | random               | some time after a commit                                                              |
 * | inside-split-commit  | with the commit torn in two by a fault: offsets are written, state and outputs are not |
 */
export const namedPoints = [
  'after-poll',
  'before-commit',
  'writing',
  'after-commit',
  'flushing',
  'compacting',
] as const;

export type KillPoint = (typeof namedPoints)[number] | 'random' | 'inside-split-commit';

export interface KillPlan {
  readonly point: KillPoint;
  /** Commits of this life before the point counts; at least 1. */
  readonly afterCommits: number;
  /** How often the point is passed before it counts. */
  readonly passes: number;
  /** For points that take a while: how long after the start of it. */
  readonly delayMs: number;
  readonly splitCommit: boolean;
  /** Where the dying process says what it was doing. */
  readonly evidence: string;
  readonly dataDir: string;
}

/** What the process says of itself as it dies. */
export interface Evidence {
  readonly point: KillPoint;
  /** Commits of this life. */
  readonly commits: number;
  /** Task batches that had run since the last commit. */
  readonly batchesOpen: number;
  /** Requests with events that had come since the last commit took its cut. */
  readonly requestsOpen: number;
}

/** The environment variable that only the test's own thread module reads. */
export const planVariable = 'MILLRACE_TEST_KILL_PLAN';
