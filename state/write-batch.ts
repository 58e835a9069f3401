import { MillraceError } from '../schemas/errors.ts';
import { compareBytes } from './byte-order.ts';
import type { BatchWriter, ColumnFamily, WriteBatch, WriteOperation } from './engine.ts';

/**
 * Gathers the operations of one atomic write, in order: a put after a delete of the same key stands.
 *
 * A mark taken before somebody's part lets that part be taken back whole, which is how one failing member of a shared
 * batch leaves nothing behind. Once sealed, the batch belongs to the engine and refuses more.
 */
export class WriteBatchBuilder implements BatchWriter, WriteBatch {
  readonly #operations: WriteOperation[] = [];
  #bytes = 0;
  #sealed = false;

  get operations(): readonly WriteOperation[] {
    return this.#operations;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(family: ColumnFamily, key: Uint8Array, value: Uint8Array): void {
    this.#add({ kind: 'put', family, key, value }, key.length + value.length);
  }

  delete(family: ColumnFamily, key: Uint8Array): void {
    this.#add({ kind: 'delete', family, key }, key.length);
  }

  /** Deletes `[gte, lt)`. An empty range is nothing to do; RocksDB would refuse the whole batch for it. */
  deleteRange(family: ColumnFamily, gte: Uint8Array, lt: Uint8Array): void {
    if (compareBytes(gte, lt) < 0) this.#add({ kind: 'deleteRange', family, gte, lt }, gte.length + lt.length);
  }

  mark(): WriteBatchMark {
    return { operations: this.#operations.length, bytes: this.#bytes };
  }

  rollback(mark: WriteBatchMark): void {
    this.#operations.length = mark.operations;
    this.#bytes = mark.bytes;
  }

  seal(): void {
    this.#sealed = true;
  }

  #add(operation: WriteOperation, bytes: number): void {
    if (this.#sealed) {
      throw new MillraceError(
        'INTERNAL',
        `A ${operation.kind} came to a write batch of ${this.#operations.length} operations that is already on its way`,
        { operations: this.#operations.length, family: operation.family },
      );
    }
    this.#operations.push(operation);
    this.#bytes += bytes;
  }
}

export interface WriteBatchMark {
  readonly operations: number;
  readonly bytes: number;
}
