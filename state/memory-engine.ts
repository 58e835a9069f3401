import { MillraceError } from '../schemas/errors.ts';
import { compareBytes } from './byte-order.ts';
import type { ColumnFamily, Engine, EngineSnapshot, EngineStats, Entry, KeyRange, WriteBatch } from './engine.ts';
import { SortedTable } from './sorted-table.ts';

/**
 * The engine in memory: the same promises, and nothing survives the process. For tests, and for topologies whose state
 * may be lost.
 */
export function createMemoryEngine(): Engine {
  return new MemoryEngine();
}

type Tables = Readonly<Record<ColumnFamily, SortedTable>>;
const chunkEntries = 512;

class MemoryEngine implements Engine {
  readonly #tables: Tables = { log: new SortedTable(), state: new SortedTable(), meta: new SortedTable() };
  #writing = false;
  #closed = false;
  #gets = 0;
  #puts = 0;
  #deletes = 0;
  #batches = 0;
  #bytesWritten = 0;
  #syncs = 0;

  async getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#checkOpen();
    this.#gets += keys.length;
    return getMany(this.#tables[family], keys);
  }

  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]> {
    this.#checkOpen();
    return scan(this.#tables[family], range);
  }

  async write(batch: WriteBatch, options: { readonly sync?: boolean } = {}): Promise<void> {
    this.#checkOpen();
    if (this.#writing) {
      throw new MillraceError('INTERNAL', 'A write batch came to the memory engine while another one is in flight', {
        operations: batch.operations.length,
      });
    }
    this.#writing = true;
    await Promise.resolve(); // Nobody may count on the write being there before it is acknowledged.
    this.#apply(batch);
    if (options.sync) this.#syncs++;
    this.#writing = false;
  }

  #apply(batch: WriteBatch): void {
    for (const operation of batch.operations) {
      const table = this.#tables[operation.family];
      switch (operation.kind) {
        case 'put':
          table.set(operation.key, operation.value);
          this.#puts++;
          break;
        case 'delete':
          table.delete(operation.key);
          this.#deletes++;
          break;
        case 'deleteRange':
          table.deleteRange(operation.gte, operation.lt);
          this.#deletes++;
          break;
      }
    }
    if (batch.operations.length > 0) this.#batches++;
    this.#bytesWritten += batch.bytes;
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    const { log, state, meta } = this.#tables;
    return new MemorySnapshot({ log: log.clone(), state: state.clone(), meta: meta.clone() });
  }

  async flush(): Promise<void> {
    this.#checkOpen();
  }

  async stats(): Promise<EngineStats> {
    return {
      gets: this.#gets,
      puts: this.#puts,
      deletes: this.#deletes,
      batches: this.#batches,
      bytesWritten: this.#bytesWritten,
      syncs: this.#syncs,
      diskBytes: 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #checkOpen(): void {
    if (this.#closed) throw new MillraceError('STORE_CLOSED', 'The memory engine is closed');
  }
}

class MemorySnapshot implements EngineSnapshot {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return getMany(this.#tables[family], keys);
  }

  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]> {
    return scan(this.#tables[family], range);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function getMany(table: SortedTable, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
  return keys.map((key) => table.get(key));
}

/** Reads a frozen clone, as RocksDB's iterators do: what is written meanwhile is not seen. */
async function* scan(table: SortedTable, range: KeyRange): AsyncGenerator<readonly Entry[]> {
  const limit = range.limit ?? Infinity;
  if (limit <= 0 || compareBytes(range.gte, range.lt) >= 0) return;
  let chunk: Entry[] = [];
  let count = 0;
  for (const entry of table.clone().entries(range.gte, range.lt, range.reverse ?? false)) {
    chunk.push(entry);
    if (++count >= limit) break;
    if (chunk.length === chunkEntries) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
