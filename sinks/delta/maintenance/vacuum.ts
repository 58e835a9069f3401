import { MillraceError } from '../../../schemas/errors.ts';
import type { TableContext } from '../context.ts';
import { deletionVectorFile } from '../deletion-vector/deletion-vector.ts';
import type { AddFile, RemoveFile } from '../log/action.ts';
import { inParallel } from '../log/delta-log.ts';
import { logFolder } from '../log/log-files.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { decodePath } from '../log/uri-path.ts';
import type { StoredFile } from '../storage/storage.ts';

export interface VacuumOptions {
  /** How long what is not in the table any more is kept. Default `delta.deletedFileRetentionDuration`, 7 days. */
  readonly retentionMs?: number;
  /** Lets `retentionMs` be shorter: readers of older versions, and writers at work, then lose files. */
  readonly shorter?: boolean;
  /** Says what would go, and takes nothing away. */
  readonly dryRun?: boolean;
}

export interface Vacuumed {
  /** Relative to the table. */
  readonly paths: readonly string[];
  readonly bytes: number;
}

/**
 * Takes away files that no version within the retention needs: those that were removed from the table long enough ago, and
 * those that never were in it (writes that died, lost races), if they are as old. Versions before that can't be read any more.
 * @throws MillraceError `INVALID_ARGUMENT` for a retention shorter than the table's
 */
export async function vacuum(
  context: TableContext,
  options: VacuumOptions = {},
  nowMs = Date.now(),
): Promise<Vacuumed> {
  const { storage, log } = context;
  const before = await log.snapshot();
  const found = await storage.list('', { recursive: true });
  mustBeFound(before, found, storage.location);
  // Looked at once more: what was committed since, over files that were there already, is needed too.
  const snapshot = await log.latest(before);
  checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
  const retentionMs = retentionOf(snapshot, options, storage.location);
  const oldest = nowMs - retentionMs;
  const needed = neededFiles(snapshot, oldest, storage.location);
  const unneeded = found.filter(
    (file) =>
      file.modifiedAtMs < oldest && !needed.has(file.path) && (isTableFile(file.path) || isTemporary(file.path)),
  );
  if (options.dryRun !== true) await inParallel(unneeded, 16, ({ path }) => storage.remove(path));
  return { paths: unneeded.map(({ path }) => path).toSorted(), bytes: totalBytes(unneeded) };
}

/**
 * A listing that lacks files of the table, or calls them by other names, says nothing of which ones are needed.
 * @throws MillraceError `TABLE_CORRUPT`
 */
function mustBeFound({ files }: Snapshot, found: readonly StoredFile[], table: string): void {
  const present = new Set(found.map(({ path }) => path));
  const missing = [...files.values()].find(({ path }) => !present.has(decodePath(path, table)));
  if (missing === undefined) return;
  throw new MillraceError(
    'TABLE_CORRUPT',
    `The table ${table} has no file ${missing.path}, which its log names: nothing is taken away`,
    {
      table,
      path: missing.path,
    },
  );
}

function retentionOf({ metadata }: Snapshot, { retentionMs, shorter = false }: VacuumOptions, table: string): number {
  const { deletedFileRetentionMs } = tableProperties(metadata);
  if (retentionMs === undefined) return deletedFileRetentionMs;
  if (retentionMs >= deletedFileRetentionMs || shorter) return retentionMs;
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `The table ${table} keeps removed files for ${deletedFileRetentionMs} ms, and ${retentionMs} ms is shorter: readers and writers at work may lose files; say that it may be shorter, or change delta.deletedFileRetentionDuration`,
    { table, retentionMs, wanted: deletedFileRetentionMs },
  );
}

/** What the table has, and had until not long ago, with the deletion vectors over it. */
function neededFiles({ files, tombstones }: Snapshot, oldest: number, location: string): ReadonlySet<string> {
  const kept: (AddFile | RemoveFile)[] = [...files.values()];
  for (const tombstone of tombstones.values()) if ((tombstone.deletionTimestamp ?? 0) >= oldest) kept.push(tombstone);
  const paths = new Set<string>();
  for (const { path, deletionVector } of kept) {
    paths.add(decodePath(path, location));
    const vector = deletionVector && deletionVectorFile(deletionVector, location);
    if (vector !== undefined) paths.add(vector);
  }
  return paths;
}

/** Folders and files that begin with `_` or a point belong to somebody else, but for changes and columns named so. */
function isTableFile(path: string): boolean {
  return path
    .split('/')
    .every(
      (name) => name === '_change_data' || !(name.startsWith('.') || (name.startsWith('_') && !name.includes('='))),
    );
}

/** What `putIfAbsent`, `put` and checkpoints leave when they are killed. */
function isTemporary(path: string): boolean {
  return /(^|\/)\.[^/]*\.tmp$/.test(path) && path.startsWith(`${logFolder}/`);
}

function totalBytes(files: readonly StoredFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
