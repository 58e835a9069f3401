import { isMillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import { deltaFaults } from '../faults.ts';
import type { Action, AddFile, RemoveFile } from '../log/action.ts';
import { defined } from '../log/action-reader.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { decodePath } from '../log/uri-path.ts';
import { writeDataFiles } from '../parquet/data-file-writer.ts';
import { filesFor, scanSource } from '../read/scan-table.ts';
import { scanFiles } from '../read/scan.ts';
import type { Filter } from '../read/filter.ts';
import { packFiles } from './bin-packing.ts';
import { clusterRows } from './clustering.ts';

export interface OptimizeOptions {
  /** Files are packed up to about this size. Default 1 GiB, as delta-spark does. */
  readonly targetBytes?: number;
  /** Only of files that may match. */
  readonly filters?: readonly Filter[];
  /** Rows that are near each other in these columns are put in the same file, along a Hilbert curve. Rewrites all files. */
  readonly clusterBy?: readonly string[];
}

export interface Optimized {
  readonly snapshot: Snapshot;
  readonly filesRemoved: number;
  readonly filesAdded: number;
}

/**
 * Puts small files together, in commits with `dataChange: false`: the rows are the same, and who reads changes sees none. Each
 * bin is a commit of its own, so what is done stays done; files that others add meanwhile are left alone, and when somebody
 * removes one of those that were read, their bin is given up and the others go on.
 */
export async function optimize(
  context: TableContext,
  base: Snapshot,
  options: OptimizeOptions = {},
): Promise<Optimized> {
  const { targetBytes = 1024 ** 3, filters = [], clusterBy = [] } = options;
  checkWritable(base.protocol, base.metadata, context.storage.location);
  const files = filesFor(base, context.storage.location, filters);
  const bins = packFiles(files, targetBytes, { single: clusterBy.length > 0 });
  let result: Optimized = { snapshot: base, filesRemoved: 0, filesAdded: 0 };
  for (const bin of bins) {
    const added = await rewrite(context, result.snapshot, bin, { clusterBy, targetBytes });
    if (added === undefined) continue;
    result = {
      snapshot: added.snapshot,
      filesRemoved: result.filesRemoved + bin.length,
      filesAdded: result.filesAdded + added.files,
    };
  }
  return result;
}

/** Undefined when somebody else removed one of the files. */
async function rewrite(
  context: TableContext,
  snapshot: Snapshot,
  bin: readonly AddFile[],
  { clusterBy, targetBytes }: { readonly clusterBy: readonly string[]; readonly targetBytes: number },
): Promise<{ readonly snapshot: Snapshot; readonly files: number } | undefined> {
  const { storage, db } = context;
  const added = await db.session(async (session) => {
    const source = scanSource(context, session, snapshot);
    await using scan = await scanFiles(source, bin, (path) => decodePath(path, storage.location));
    const parts = Math.ceil(totalBytes(bin) / targetBytes);
    const relations =
      clusterBy.length === 0
        ? [`(${scan.sql})`]
        : await clusterRows(session, scan.sql, source.schema, clusterBy, parts);
    const files: AddFile[] = [];
    for (const relation of relations) {
      const written = await writeDataFiles(storage, session, relation, {
        schema: source.schema,
        partitionColumns: snapshot.metadata.partitionColumns,
        indexedColumns: tableProperties(snapshot.metadata).indexedColumns,
        dataChange: false,
      });
      files.push(...written);
    }
    return files;
  });
  deltaFaults.reached?.('data-written');
  try {
    const committed = await commit(storage, snapshot, {
      operation: 'OPTIMIZE',
      parameters: { predicate: '[]', zOrderBy: JSON.stringify(clusterBy), auto: 'false' },
      metrics: {
        numRemovedFiles: String(bin.length),
        numAddedFiles: String(added.length),
        numRemovedBytes: String(totalBytes(bin)),
        numAddedBytes: String(totalBytes(added)),
      },
      actions: [
        ...bin.map((file): Action => ({ remove: removeOf(file, false) })),
        ...added.map((add): Action => ({ add })),
      ],
      reads: 'files',
    });
    return { snapshot: committed, files: added.length };
  } catch (error) {
    if (!isMillraceError(error, 'TABLE_CONFLICT') || error.facts['conflict'] !== 'removed') throw error;
    for (const { path } of added) await storage.remove(decodeURIComponent(path));
    return undefined;
  }
}

/** The remove action that takes a file out of the table. */
export function removeOf(file: AddFile, dataChange: boolean): RemoveFile {
  const { path, partitionValues, size, tags, deletionVector, baseRowId, defaultRowCommitVersion } = file;
  return defined<RemoveFile>({
    path,
    deletionTimestamp: Date.now(),
    dataChange,
    extendedFileMetadata: true,
    partitionValues,
    size,
    stats: undefined,
    tags,
    deletionVector,
    baseRowId,
    defaultRowCommitVersion,
  });
}

function totalBytes(files: readonly AddFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
