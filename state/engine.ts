/**
 * The engine: an ordered key-value database with one owner.
 *
 * One process opens a database once, in one thread. Everything that is written goes through `write`, one batch at a
 * time, atomically; two batches in flight were seen applied in reverse order, so the engine refuses the second.
 * `GroupCommit` (group-commit.ts) is what callers use to share a batch.
 */
export interface Engine extends AsyncDisposable {
  /** One batched read; the answer stands at the key's place, undefined where there is none. */
  getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Entries of `[gte, lt)` in byte order, many at a time. */
  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]>;
  /** Applies the batch atomically. It survives a process kill; with `sync`, a power loss too. */
  write(batch: WriteBatch, options?: { readonly sync?: boolean }): Promise<void>;
  /** A frozen view for reads. Dispose it: it holds back compaction. */
  snapshot(): EngineSnapshot;
  /** Moves memtables to files, so that the write-ahead log can be dropped. */
  flush(): Promise<void>;
  stats(): Promise<EngineStats>;
}

/** Column families are fixed at open, so there are few, and keys carry prefixes. */
export type ColumnFamily = 'log' | 'state' | 'meta';

export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface EngineSnapshot extends AsyncDisposable {
  getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]>;
}

export interface EngineStats {
  readonly gets: number;
  readonly puts: number;
  readonly deletes: number;
  readonly batches: number;
  readonly bytesWritten: number;
  /** Times the write-ahead log was made safe against a power loss. */
  readonly syncs: number;
  readonly diskBytes: number;
}

/** What one atomic write does. The arrays are handed over: don't change them afterwards. */
export interface WriteBatch {
  readonly operations: readonly WriteOperation[];
  /** Keys and values together. */
  readonly bytes: number;
}

export type WriteOperation =
  | { readonly kind: 'put'; readonly family: ColumnFamily; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly family: ColumnFamily; readonly key: Uint8Array }
  | { readonly kind: 'deleteRange'; readonly family: ColumnFamily; readonly gte: Uint8Array; readonly lt: Uint8Array };

/** Gathers operations; `WriteBatchBuilder` in write-batch.ts is the one implementation. */
export interface BatchWriter {
  put(family: ColumnFamily, key: Uint8Array, value: Uint8Array): void;
  delete(family: ColumnFamily, key: Uint8Array): void;
  deleteRange(family: ColumnFamily, gte: Uint8Array, lt: Uint8Array): void;
}
