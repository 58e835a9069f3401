export { restoreBackup, writeBackup, type BackupManifest, type BackupSource } from './backup.ts';
export { compareBytes, concatBytes, equalBytes, keyAfter, prefixEnd } from './byte-order.ts';
export {
  dataFolderFormat,
  noteOwner,
  openDataFolder,
  readOwner,
  replaceFile,
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
export { FreeSpace } from './free-space.ts';
export type { KeyCodec } from './key-codec.ts';
export { bytesKey, int64Key, tupleKey, uint32Key, utf8Key, windowedKey, type WindowedKeyCodec } from './key-codecs.ts';
export { createKeyValueStore, createTimestampedKeyValueStore, type StoreOptions } from './key-value-store.ts';
export { createMemoryEngine } from './memory-engine.ts';
export type { Migrated, Migration } from './migration.ts';
export type { RocksEngineOptions } from './rocksdb-engine.ts';
export type {
  KeyValueStore,
  StateStore,
  StoreChange,
  StoreKind,
  StoreRange,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  Windowed,
  WindowStore,
} from './store.ts';
export { timestampedSerde } from './timestamped-serde.ts';
export { createWindowStore, type WindowStoreOptions } from './window-store.ts';
export { WriteBatchBuilder } from './write-batch.ts';
