export { compareBytes, concatBytes, equalBytes, keyAfter, prefixEnd } from './byte-order.ts';
export {
  dataFolderFormat,
  noteOwner,
  openDataFolder,
  readOwner,
  type DataFolderOptions,
  type DataFolderOwner,
} from './data-folder.ts';
export type {
  BatchWriter,
  ColumnFamily,
  Engine,
  EngineSnapshot,
  EngineStats,
  Entry,
  KeyRange,
  WriteBatch,
  WriteOperation,
} from './engine.ts';
export { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './group-commit.ts';
export type { KeyCodec } from './key-codec.ts';
export { createMemoryEngine } from './memory-engine.ts';
export type { RocksEngineOptions } from './rocksdb-engine.ts';
export type {
  KeyValueStore,
  StateStore,
  StoreChange,
  StoreKind,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  Windowed,
  WindowStore,
} from './store.ts';
export { WriteBatchBuilder } from './write-batch.ts';
