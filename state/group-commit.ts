import type { BatchWriter } from './engine.ts';

/**
 * One batch in flight at a time, and everybody who comes meanwhile shares the next one.
 *
 * `submit` calls `fill` when its batch is put together (synchronously, in the order of submission) and resolves when
 * that batch is durable. A `fill` that throws rejects its own submission only and leaves nothing in the batch.
 */
export interface GroupCommit {
  submit(fill: (writer: BatchWriter) => void, options?: { readonly sync?: boolean }): Promise<void>;
  /** Resolves when nothing is in flight or waiting. */
  idle(): Promise<void>;
}
