import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../schemas/errors.ts';
import { compareBytes } from './byte-order.ts';
import type { ColumnFamily, Engine, EngineSnapshot, EngineStats, Entry, KeyRange, WriteBatch } from './engine.ts';
import { engineFaults } from './faults.ts';
import { fillNativeBatch, type RocksBinding, type RocksIterator, type RocksSession } from './rocksdb-binding.ts';
import { WriteAheadLogSync } from './write-ahead-log-sync.ts';

/**
 * The engine over RocksDB.
 *
 * Three column families share one write-ahead log. RocksDB drops a write-ahead file once no family has unflushed
 * data in it, so a family that is seldom written would pin all of them (2 GB were seen, and 2.8 s to reopen): after
 * `walBytesMax` written bytes all families are flushed, beside the writes that go on.
 *
 * Memory: memtables take `writeBufferBytes` × `writeBuffersMax` for log and state each and 2 × 4 MiB for meta; the
 * binding offers no size for the block cache, RocksDB's own is 32 MiB a family, with index and filter blocks in it; the log
 * has none. Compactions run two at a time: each holds some 10 MiB.
 *
 * What `write` survives: its batch is in the operating system's hands when it resolves, so a killed process loses
 * nothing; with `sync`, write-ahead-log-sync.ts has put it on the disk.
 */
export interface RocksEngineOptions {
  readonly readOnly?: boolean;
  /** All families are flushed when this many bytes were written since the last time. Default 128 MiB. */
  readonly walBytesMax?: number;
  /** Memtable of the log and of the state family. Default 32 MiB. */
  readonly writeBufferBytes?: number;
  /** How many of them may wait to be flushed, the one being written counted. Default 3. */
  readonly writeBuffersMax?: number;
  /** Called once, when a write, a sync or a flush has failed: the engine reads on and takes no more writes. */
  readonly onFailure?: (error: unknown) => void;
}

const families: readonly ColumnFamily[] = ['log', 'state', 'meta'];
const mebibyte = 1024 * 1024;
/** Entries an iterator fetches at a time: 8, the binding's default, read a fifth of the entries a second that 512 do. */
const iteratorCapacity = 512;

/** Opens or creates the database in this folder. Errors are RocksDB's own; data-folder.ts puts them into words. */
export async function openRocksEngine(
  binding: RocksBinding,
  folder: string,
  options: RocksEngineOptions = {},
): Promise<Engine> {
  const buffers = {
    writeBufferSize: options.writeBufferBytes ?? 32 * mebibyte,
    maxWriteBufferNumber: options.writeBuffersMax ?? 3,
  };
  const few = { writeBufferSize: 4 * mebibyte, maxWriteBufferNumber: 2 };
  const points = { filterPolicy: new binding.BloomFilterPolicy(10), tableBlockSize: 8 * 1024 };
  // The log is read in order, by values of many kilobytes: large blocks, and no filter since every key asked for exists.
  // What is read of it is cached above, decoded: blocks are not.
  const scans = {
    filterPolicy: null,
    tableBlockSize: 32 * 1024,
    blockCache: false,
    tableCacheIndexAndFilterBlocks: false,
  };
  const root = new binding(folder, {
    columnFamily: new binding.ColumnFamily('default', { ...points, ...few }),
    columnFamilies: [
      new binding.ColumnFamily('log', { ...scans, ...buffers }),
      new binding.ColumnFamily('state', { ...points, ...buffers }),
      new binding.ColumnFamily('meta', { ...points, ...few }),
    ],
    readOnly: options.readOnly ?? false,
    createIfMissing: !(options.readOnly ?? false),
    maxBackgroundJobs: 2,
  });
  try {
    await root.ready();
  } catch (error) {
    root.close().catch(() => undefined); // What failed to open fails to close; the first error is the one to tell.
    throw error;
  }
  return new RocksEngine(root, folder, options);
}

class RocksEngine implements Engine {
  readonly #root: RocksSession;
  readonly #folder: string;
  /** Of ranges that are being read, here and on snapshots: one left half read would hold up closing for ever. */
  readonly #iterators = new Set<RocksIterator>();
  readonly #view: RocksView;
  readonly #readOnly: boolean;
  readonly #walBytesMax: number;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  readonly #walSync: WriteAheadLogSync;
  #walBytes = 0;
  #writing: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Set when a write, a sync or a flush failed: what is durable is in doubt, so nothing more is written. */
  #failed: unknown;
  #puts = 0;
  #deletes = 0;
  #batches = 0;
  #bytesWritten = 0;

  constructor(root: RocksSession, folder: string, options: RocksEngineOptions) {
    this.#root = root;
    this.#folder = folder;
    this.#view = new RocksView(root, this.#iterators);
    this.#readOnly = options.readOnly ?? false;
    this.#onFailure = options.onFailure;
    this.#walBytesMax = options.walBytesMax ?? 128 * mebibyte;
    this.#walSync = new WriteAheadLogSync(folder);
  }

  async getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#checkOpen();
    return this.#view.getMany(family, keys);
  }

  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]> {
    this.#checkOpen();
    return this.#view.range(family, range);
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    return new RocksSnapshot(this.#root.session({ snapshot: true }), this.#iterators);
  }

  async write(batch: WriteBatch, options: { readonly sync?: boolean } = {}): Promise<void> {
    this.#checkWritable();
    if (this.#writing) {
      throw new MillraceError('INTERNAL', `A write batch came to ${this.#folder} while another one is in flight`, {
        folder: this.#folder,
        operations: batch.operations.length,
      });
    }
    this.#writing = this.#write(batch, options.sync ?? false);
    try {
      await this.#writing;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#writing = undefined;
    }
    if (this.#walBytes >= this.#walBytesMax) this.#flushInBackground();
  }

  async #write(batch: WriteBatch, sync: boolean): Promise<void> {
    if (batch.operations.length > 0) {
      const native = this.#root.write({ capacity: batch.operations.length, autoDestroy: true });
      fillNativeBatch(native, batch, (family) => this.#view.session(family));
      const written = native.flush();
      engineFaults.reached?.('writing');
      await written;
      this.#count(batch);
    }
    if (sync) await this.#walSync.sync();
  }

  #count(batch: WriteBatch): void {
    for (const operation of batch.operations) {
      if (operation.kind === 'put') this.#puts++;
      else this.#deletes++;
    }
    this.#batches++;
    this.#bytesWritten += batch.bytes;
    this.#walBytes += batch.bytes;
  }

  async flush(): Promise<void> {
    this.#checkWritable();
    while (this.#flushing) await this.#flushing;
    this.#flushing = this.#flushFamilies();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = undefined;
    }
  }

  async #flushFamilies(): Promise<void> {
    this.#walBytes = 0;
    for (const family of families) {
      const flushed = this.#view.session(family).flush();
      engineFaults.reached?.('flushing');
      await flushed;
    }
    engineFaults.reached?.('flushed');
  }

  #flushInBackground(): void {
    if (this.#flushing) return;
    this.flush().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (this.#failed !== undefined || this.#closing !== undefined) return;
    this.#failed = error;
    this.#onFailure?.(error);
  }

  async stats(): Promise<EngineStats> {
    return {
      gets: this.#view.gets,
      puts: this.#puts,
      deletes: this.#deletes,
      batches: this.#batches,
      bytesWritten: this.#bytesWritten,
      syncs: this.#walSync.count,
      diskBytes: await folderBytes(this.#folder),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writing?.catch(() => undefined); // Its caller hears of it.
    await this.#flushing?.catch(() => undefined);
    await this.#walSync.close();
    for (const iterator of this.#iterators) iterator.destroy(this.#closedError());
    await this.#view.close();
    await this.#root.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw this.#closedError();
  }

  #closedError(): MillraceError {
    return new MillraceError('STORE_CLOSED', `The database in ${this.#folder} is closed`, { folder: this.#folder });
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#readOnly) {
      throw new MillraceError('INVALID_ARGUMENT', `The database in ${this.#folder} was opened to read only`, {
        folder: this.#folder,
      });
    }
    if (this.#failed !== undefined) {
      throw new MillraceError(
        'INTERNAL',
        `An earlier write to ${this.#folder} failed, so what is durable is in doubt: open it again`,
        { folder: this.#folder },
        { cause: this.#failed },
      );
    }
  }
}

class RocksSnapshot implements EngineSnapshot {
  readonly #root: RocksSession;
  readonly #view: RocksView;
  #closed: Promise<void> | undefined;

  constructor(root: RocksSession, iterators: Set<RocksIterator>) {
    this.#root = root;
    this.#view = new RocksView(root, iterators);
  }

  getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#view.getMany(family, keys);
  }

  range(family: ColumnFamily, range: KeyRange): AsyncIterable<readonly Entry[]> {
    return this.#view.range(family, range);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#view.close();
    await this.#root.close();
  }
}

/** Reads through one session a family: of the live database, or of a snapshot when `root` is one. */
class RocksView {
  readonly #sessions: Readonly<Record<ColumnFamily, RocksSession>>;
  readonly #iterators: Set<RocksIterator>;
  gets = 0;

  constructor(root: RocksSession, iterators: Set<RocksIterator>) {
    this.#iterators = iterators;
    this.#sessions = {
      log: root.session({ columnFamily: 'log' }),
      state: root.session({ columnFamily: 'state' }),
      meta: root.session({ columnFamily: 'meta' }),
    };
  }

  session(family: ColumnFamily): RocksSession {
    return this.#sessions[family];
  }

  async getMany(family: ColumnFamily, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    this.gets += keys.length;
    const batch = this.#sessions[family].read({ capacity: keys.length, autoDestroy: true });
    const reads = new Array<Promise<Uint8Array | null>>(keys.length);
    let at = 0;
    for (const key of keys) reads[at++] = batch.get(key);
    batch.tryFlush();
    const values: (Uint8Array | null | undefined)[] = await Promise.all(reads);
    for (let i = 0; i < values.length; i++) values[i] ??= undefined;
    return values as (Uint8Array | undefined)[];
  }

  async *range(family: ColumnFamily, range: KeyRange): AsyncGenerator<readonly Entry[]> {
    const limit = range.limit ?? Infinity;
    if (limit <= 0 || compareBytes(range.gte, range.lt) >= 0) return;
    const iterator = this.#sessions[family].iterator(
      { gte: range.gte, lt: range.lt, reverse: range.reverse ?? false, limit },
      { capacity: Math.min(iteratorCapacity, limit) },
    );
    this.#iterators.add(iterator);
    try {
      yield* chunks(iterator);
    } finally {
      this.#iterators.delete(iterator);
      iterator.destroy();
    }
  }

  async close(): Promise<void> {
    for (const family of families) await this.#sessions[family].close();
  }
}

/** Takes what the iterator has fetched in one go: a promise a chunk, where `for await` costs one an entry. */
async function* chunks(iterator: RocksIterator): AsyncGenerator<readonly Entry[]> {
  let wake: (() => void) | undefined;
  let ended = false;
  let failure: Error | undefined;
  const awaken = () => wake?.();
  iterator.on('readable', awaken);
  iterator.on('error', (error) => {
    failure = error;
  });
  for (const event of ['end', 'close'] as const) {
    iterator.on(event, () => {
      ended = true;
      awaken();
    });
  }
  for (;;) {
    const chunk: Entry[] = [];
    for (let entry = iterator.read(); entry !== null; entry = iterator.read()) chunk.push(entry);
    if (failure) throw failure;
    if (chunk.length > 0) yield chunk;
    else if (ended) return;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    // Compaction deletes files between the listing and here.
    bytes += await stat(join(folder, name)).then(
      (file) => file.size,
      () => 0,
    );
  }
  return bytes;
}
