import type { Json } from './exact-json.ts';

/**
 * The actions of the log (protocol, Actions), as the fields of the protocol. Versions, sizes and times in ms are `number`:
 * safe integers, which is checked when they are read. `txn.version` belongs to the application and is a `bigint`.
 */
export type Action =
  | { readonly commitInfo: CommitInfo }
  | { readonly protocol: Protocol }
  | { readonly metaData: Metadata }
  | { readonly add: AddFile }
  | { readonly remove: RemoveFile }
  | { readonly cdc: ChangeFile }
  | { readonly txn: ApplicationTransaction }
  | { readonly domainMetadata: DomainMetadata };

/** Who did what. Free in form; these fields have a meaning. */
export interface CommitInfo {
  readonly timestamp?: number;
  /** Present, and growing from version to version, when in-commit timestamps are switched on. */
  readonly inCommitTimestamp?: number;
  readonly operation?: string;
  readonly operationParameters?: Readonly<Record<string, string>>;
  readonly operationMetrics?: Readonly<Record<string, string>>;
  readonly readVersion?: number;
  readonly isBlindAppend?: boolean;
  readonly engineInfo?: string;
  readonly userMetadata?: string;
  /** By which a writer knows its own commit when the answer to it was lost. */
  readonly txnId?: string;
  readonly [field: string]: Json | undefined;
}

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options: Readonly<Record<string, string>> };
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly createdTime?: number;
  readonly configuration: Readonly<Record<string, string>>;
}

/** By physical column name where columns are mapped. */
export type PartitionValues = Readonly<Record<string, string | null>>;

export interface AddFile {
  /** URI-encoded: uri-path.ts. */
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly size: number;
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** JSON: parquet/statistics.ts. */
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
  readonly clusteringProvider?: string;
}

export interface RemoveFile {
  readonly path: string;
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: PartitionValues;
  readonly size?: number;
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
}

export interface DeletionVectorDescriptor {
  readonly storageType: string;
  readonly pathOrInlineDv: string;
  readonly offset?: number;
  readonly sizeInBytes: number;
  readonly cardinality: number;
}

export interface ChangeFile {
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly size: number;
  readonly dataChange: false;
}

/** How far an application has come: written in the commit that brings its data, so both are there or neither. */
export interface ApplicationTransaction {
  readonly appId: string;
  readonly version: bigint;
  readonly lastUpdated?: number;
}

export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

/** What a logical file is known by: its data file and the deletion vector over it (protocol, Action Reconciliation). */
export function fileKey({ path, deletionVector }: Pick<AddFile, 'path' | 'deletionVector'>): string {
  const file = decodedForComparison(path);
  return deletionVector === undefined ? file : `${file}\n${deletionVectorId(deletionVector)}`;
}

export function deletionVectorId({ storageType, pathOrInlineDv, offset }: DeletionVectorDescriptor): string {
  return `${storageType}${pathOrInlineDv}${offset === undefined ? '' : `@${offset}`}`;
}

/** Writers encode more or fewer characters; the file is the same. */
function decodedForComparison(path: string): string {
  return path.includes('%') ? decodeURIComponent(path) : path;
}
