export { DeltaTable, type AsOf, type DeltaTableOptions } from './delta-table.ts';
export type {
  AddFile,
  ApplicationTransaction,
  CommitInfo,
  DeletionVectorDescriptor,
  DomainMetadata,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
} from './log/action.ts';
export type { Json, JsonDecimal } from './log/exact-json.ts';
export type { HistoryEntry } from './log/history.ts';
export type { Commit, Snapshot } from './log/snapshot.ts';
export { tableProperties, type TableProperties } from './log/table-properties.ts';
export { DuckDb, type DuckDbOptions } from './parquet/duck-db.ts';
export type { Rows } from './parquet/rows.ts';
export type { Comparable, Filter } from './read/filter.ts';
export type { FileFormat, ReadOptions } from './read/scan-table.ts';
export {
  arrayOf,
  mapOf,
  tableSchema,
  type ArrayType,
  type ColumnDefinition,
  type DataType,
  type MapType,
  type PrimitiveType,
  type StructField,
  type StructType,
} from './schema/schema.ts';
export type { Row, Value } from './schema/value.ts';
export { LocalFolder } from './storage/local-folder.ts';
export type { S3Options } from './storage/s3-client.ts';
export { S3Folder } from './storage/s3-folder.ts';
export type { ListOptions, LocalFile, NewFile, Storage, StoredFile } from './storage/storage.ts';
export type { WriteOptions, WriteTransaction, Written } from './write/append.ts';
export type { TableDefinition } from './write/create.ts';
export type { Deleted, DeleteOptions } from './change/delete-rows.ts';
export type { UpsertOptions, Upserted } from './change/upsert.ts';
export type { Optimized, OptimizeOptions } from './maintenance/optimize.ts';
export type { Vacuumed, VacuumOptions } from './maintenance/vacuum.ts';
export type { ChangedRow, ChangeRange } from './read/changes.ts';
