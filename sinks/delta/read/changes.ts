import type { TableContext } from '../context.ts';
import { MillraceError } from '../../../schemas/errors.ts';
import type { AddFile } from '../log/action.ts';
import { commitTimes } from '../log/history.ts';
import type { Commit, Snapshot } from '../log/snapshot.ts';
import { decodePath } from '../log/uri-path.ts';
import { identifier } from '../parquet/sql.ts';
import type { StructField } from '../schema/schema.ts';
import { decoderOf, type Row } from '../schema/value.ts';
import { type ChangeType, changeTypeColumn } from '../change/change-files.ts';
import { scanFiles } from './scan.ts';
import { scanSource } from './scan-table.ts';

/** A row that changed, with `_change_type`, `_commit_version` and `_commit_timestamp` (µs) beside its columns. */
export type ChangedRow = Row;

export interface ChangeRange {
  /** The first version whose changes are wanted. */
  readonly fromVersion: number;
  /** The last one; default the newest. */
  readonly toVersion?: number;
}

/**
 * The change data feed (protocol, Add CDC File): what each version changed, row by row, in the columns of the newest one. A
 * version that has change files is read from those alone; any other from the files it added and removed.
 * @throws MillraceError `TABLE_VERSION_NOT_FOUND` when the log does not have one of the versions any more
 */
export async function* readChanges(
  context: TableContext,
  snapshot: Snapshot,
  { fromVersion, toVersion = snapshot.version }: ChangeRange,
): AsyncGenerator<readonly ChangedRow[], void, undefined> {
  const times = new Map(
    (await commitTimes(context.log, await context.log.listing())).map((each) => [each.version, each.timestampMs]),
  );
  for (let version = fromVersion; version <= toVersion; version++) {
    const commit = await context.log.commit(version);
    if (commit === undefined) {
      throw new MillraceError(
        'TABLE_VERSION_NOT_FOUND',
        `The log of ${context.storage.location} has no version ${version} any more, so its changes are not known`,
        { table: context.storage.location, version },
      );
    }
    const timestamp = BigInt(times.get(version) ?? 0) * 1000n;
    for await (const rows of changesOf(context, snapshot, commit)) {
      yield rows.map((row) => ({ ...row, _commit_version: BigInt(version), _commit_timestamp: timestamp }));
    }
  }
}

type ChangedFile = Pick<AddFile, 'path' | 'partitionValues' | 'deletionVector'>;

async function* changesOf(context: TableContext, snapshot: Snapshot, { actions }: Commit): AsyncGenerator<Row[]> {
  const changeFiles = actions.flatMap((action) => ('cdc' in action ? [action.cdc] : []));
  if (changeFiles.length > 0) {
    yield* read(context, snapshot, changeFiles, undefined);
    return;
  }
  const removed: ChangedFile[] = actions.flatMap((action) =>
    'remove' in action && action.remove.dataChange
      ? [{ ...action.remove, partitionValues: action.remove.partitionValues ?? {} }]
      : [],
  );
  const added = actions.flatMap((action) => ('add' in action && action.add.dataChange ? [action.add] : []));
  yield* read(context, snapshot, removed, 'delete');
  yield* read(context, snapshot, added, 'insert');
}

async function* read(
  context: TableContext,
  snapshot: Snapshot,
  files: readonly ChangedFile[],
  type: ChangeType | undefined,
): AsyncGenerator<Row[]> {
  if (files.length === 0) return;
  await using session = await context.db.connect();
  const source = scanSource(context, session, snapshot);
  const extraColumns = type === undefined ? [changeType] : [];
  await using scan = await scanFiles(source, files, (path) => decodePath(path, context.storage.location), {
    extraColumns,
  });
  const fields = [...source.schema.fields, ...extraColumns];
  const decoders = fields.map((field) => decoderOf(field.type));
  for await (const columns of session.chunks(
    `SELECT ${fields.map(({ name }) => identifier(name)).join(', ')} FROM (${scan.sql})`,
  )) {
    const count = columns[0]?.length ?? 0;
    yield Array.from({ length: count }, (_, row) => ({
      ...Object.fromEntries(fields.map(({ name }, at) => [name, decoders[at]!(columns[at]![row]!)])),
      ...(type !== undefined && { [changeTypeColumn]: type }),
    }));
  }
}

const changeType: StructField = { name: changeTypeColumn, type: 'string', nullable: true, metadata: {} };
