/**
 * How one bound on the process's memory is divided (docs/architecture/memory.md). A part that has a bound of its own gets it
 * from here; the rest is for what has none: the code, what is kept of every item, garbage between two collections.
 */
export interface MemoryShares {
  /** The whole bound. */
  readonly memoryBytesMax: number;
  /** Values of the stores in the record caches, by their estimated size in the heap. */
  readonly storeCacheBytes: number;
  /** What batches have changed and no commit has written. */
  readonly dirtyBytesMax: number;
  /** Memtables of log and state: up to three of each. */
  readonly memtableBytes: number;
  /** Pair rows, titles, users' products and tops in the HTTP thread. */
  readonly viewBytes: number;
  readonly answerCacheBytes: number;
  /**
   * Young generation of the thread that owns the database. Most objects live for a batch; with Node's default of 16 MB
   * semi-spaces half of a batch's were copied before they died.
   */
  readonly youngGenerationBytes: number;
}

export const defaultMemoryBytesMax = 1024 ** 3;

export function memoryShares(memoryBytesMax: number = defaultMemoryBytesMax): MemoryShares {
  const of = (share: number) => Math.floor(memoryBytesMax * share);
  return {
    memoryBytesMax,
    storeCacheBytes: of(0.12),
    dirtyBytesMax: of(0.04),
    memtableBytes: of(0.09),
    viewBytes: of(0.12),
    answerCacheBytes: of(0.03),
    youngGenerationBytes: of(0.09),
  };
}

/** Options of `Host.open`. */
export function hostMemory(shares: MemoryShares) {
  const { memoryBytesMax, storeCacheBytes, dirtyBytesMax, memtableBytes, youngGenerationBytes } = shares;
  return {
    memoryBytesMax,
    storeCacheBytes,
    dirtyBytesMax,
    youngGenerationBytes,
    database: { writeBufferBytes: Math.floor(memtableBytes / memtables) },
  };
}

/** Three of the log, three of the state. */
const memtables = 6;
