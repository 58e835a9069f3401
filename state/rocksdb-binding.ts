import { createRequire } from 'node:module';
import { MillraceError } from '../schemas/errors.ts';
import type { ColumnFamily, WriteBatch } from './engine.ts';

/**
 * What we use of `rocksdb-native` (3.18.1, pinned), which has no types of its own. Everything here is its public face,
 * but for one member: a write batch belongs to one session, and so to one column family, although each native
 * operation names its own. `fillNativeBatch` points the batch at the session of the family that comes next.
 */
export interface RocksBinding {
  new (path: string, options: RocksOptions): RocksSession;
  readonly ColumnFamily: new (name: string, options: RocksFamilyOptions) => RocksFamily;
  readonly BloomFilterPolicy: new (bitsPerKey: number) => object;
}

export interface RocksOptions {
  readonly columnFamily: RocksFamily;
  readonly columnFamilies: readonly RocksFamily[];
  readonly readOnly: boolean;
  readonly createIfMissing: boolean;
  readonly maxBackgroundJobs: number;
}

export interface RocksFamilyOptions {
  readonly tableBlockSize: number;
  readonly filterPolicy: object | null;
  readonly blockCache?: boolean;
  readonly tableCacheIndexAndFilterBlocks?: boolean;
  readonly writeBufferSize: number;
  readonly maxWriteBufferNumber: number;
}

export interface RocksFamily {
  readonly name: string;
}

/** The database seen through one column family, live or at a snapshot. */
export interface RocksSession {
  ready(): Promise<void>;
  close(): Promise<void>;
  session(options: { readonly columnFamily?: string; readonly snapshot?: boolean }): RocksSession;
  read(options: RocksBatchOptions): RocksReadBatch;
  write(options: RocksBatchOptions): RocksWriteBatch;
  iterator(range: RocksRange, options: { readonly capacity: number }): RocksIterator;
  flush(): Promise<void>;
}

export interface RocksBatchOptions {
  /** Room for this many operations; a batch that outgrows it reallocates. */
  readonly capacity: number;
  readonly autoDestroy: true;
}

export interface RocksReadBatch {
  get(key: Uint8Array): Promise<Uint8Array | null>;
  tryFlush(): void;
}

export interface RocksWriteBatch {
  /** Private: the session whose family the next operation goes to. */
  _db: RocksSession;
  tryPut(key: Uint8Array, value: Uint8Array): void;
  tryDelete(key: Uint8Array): void;
  tryDeleteRange(gte: Uint8Array, lt: Uint8Array): void;
  flush(): Promise<void>;
}

export interface RocksRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
}

/** A streamx stream: `read` answers from its buffer without waiting, null when it is empty. */
export interface RocksIterator {
  read(): { readonly key: Uint8Array; readonly value: Uint8Array } | null;
  on(event: 'readable' | 'end' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  destroy(error?: Error): void;
}

export function fillNativeBatch(
  native: RocksWriteBatch,
  batch: WriteBatch,
  sessionOf: (family: ColumnFamily) => RocksSession,
): void {
  const owner = native._db;
  for (const operation of batch.operations) {
    native._db = sessionOf(operation.family);
    switch (operation.kind) {
      case 'put':
        native.tryPut(operation.key, operation.value);
        break;
      case 'delete':
        native.tryDelete(operation.key);
        break;
      case 'deleteRange':
        native.tryDeleteRange(operation.gte, operation.lt);
        break;
    }
  }
  native._db = owner; // The one that counted the batch, and releases it.
}

/**
 * Loads the native library when the first database is opened, not when this file is imported: so a missing system
 * library is an answer to `openDataFolder`, and the in-memory engine works without.
 * @throws MillraceError `NATIVE_LIBRARY_MISSING` saying what to install.
 */
export function loadRocksBinding(load: () => unknown = requireRocks): RocksBinding {
  try {
    return load() as RocksBinding;
  } catch (error) {
    throw nativeLibraryMissing(error);
  }
}

function requireRocks(): unknown {
  return createRequire(import.meta.url)('rocksdb-native') as unknown;
}

function nativeLibraryMissing(error: unknown): MillraceError {
  const reason = messages(error).join(': ');
  const platform = `${process.platform}-${process.arch}`;
  if (reason.includes('libatomic.so.1')) {
    return new MillraceError(
      'NATIVE_LIBRARY_MISSING',
      `RocksDB needs the system library libatomic.so.1, which is not installed: run 'apt-get install libatomic1'`,
      { library: 'libatomic.so.1', platform },
      { cause: error },
    );
  }
  const library = /(lib[\w+-]+\.so[.\d]*): cannot open shared object file/.exec(reason)?.[1];
  const advice = library
    ? `it needs the system library ${library}: install it`
    : `run 'npm install' on this machine, on a platform it is built for (linux, macOS or Windows, x64 or arm64)`;
  return new MillraceError(
    'NATIVE_LIBRARY_MISSING',
    `RocksDB's native library (rocksdb-native) does not load on ${platform}: ${advice} (${reason})`,
    { library: library ?? 'rocksdb-native', platform },
    { cause: error },
  );
}

/** The messages of an error and its causes: the loader wraps what the dynamic linker says. */
function messages(error: unknown): string[] {
  const found: string[] = [];
  for (let at: unknown = error; at !== undefined && found.length < 8; at = at instanceof Error ? at.cause : undefined) {
    const message = at instanceof Error ? at.message : typeof at === 'string' ? at : 'unknown reason';
    found.push(message.split('\n')[0] ?? '');
  }
  return found;
}
