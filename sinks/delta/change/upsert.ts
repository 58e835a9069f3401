import { isMillraceError, MillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import { deltaFaults } from '../faults.ts';
import type { Action, AddFile } from '../log/action.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { decodePath } from '../log/uri-path.ts';
import { mayRemoveRows } from '../maintenance/restore.ts';
import { removeOf } from '../maintenance/optimize.ts';
import { type DataFileOptions, writeDataFiles } from '../parquet/data-file-writer.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { loadRows, rowCount, type Rows } from '../parquet/rows.ts';
import { identifier } from '../parquet/sql.ts';
import { columnType } from '../read/filter.ts';
import { scanFiles } from '../read/scan.ts';
import { filesFor, scanSource } from '../read/scan-table.ts';
import type { StructType } from '../schema/schema.ts';
import { isWritten, transactionActions, type WriteOptions, type Written } from '../write/append.ts';
import { checkRows, rowConditions } from '../write/constraints.ts';
import { bucketSql, bucketTag, mayHold, tagOf } from './bucket.ts';
import { writeChangeFiles } from './change-files.ts';
import { type MatchedRows, matchRows } from './matched-rows.ts';
import { removeByVector } from './row-removal.ts';

export interface UpsertOptions extends WriteOptions {
  /** Columns by which a row is known. Null is a key like any other. No two rows of one upsert have the same. */
  readonly key: readonly string[];
  /**
   * Without deletion vectors: into how many files, by the hash of the key, rows are spread. An upsert writes those anew that
   * hold its keys. Default 16.
   */
  readonly buckets?: number;
}

export interface Upserted extends Written {
  readonly updated: number;
  readonly inserted: number;
}

/**
 * Puts rows in the place of those with the same key, and adds the others, in one commit. Where the table has deletion vectors
 * switched on (`delta.enableDeletionVectors`) the cost goes with the changed rows: old ones are marked, new ones are a file.
 * Otherwise the files of the touched buckets are written anew.
 *
 * It depends on every row, so a commit that came first means a new try over the new version.
 * @throws MillraceError `ROW_INVALID`, also for a key that stands twice in the rows; `TABLE_CONFLICT`, `TABLE_UNSUPPORTED`
 */
export async function upsert(
  context: TableContext,
  base: Snapshot,
  rows: Rows,
  options: UpsertOptions,
): Promise<Upserted> {
  let snapshot = base;
  for (let attempt = 1; ; attempt++) {
    if (isWritten(snapshot, options.transactions ?? [], context.storage.location)) {
      return { snapshot, duplicate: true, updated: 0, inserted: 0 };
    }
    const change = await plan(context, snapshot, rows, options);
    deltaFaults.reached?.('data-written');
    try {
      const committed = await commit(context.storage, snapshot, {
        operation: 'MERGE',
        parameters: { predicate: JSON.stringify(options.key) },
        metrics: {
          numTargetRowsUpdated: String(change.updated),
          numTargetRowsInserted: String(rowCount(rows) - change.updated),
        },
        ...(options.userMetadata !== undefined && { userMetadata: options.userMetadata }),
        actions: [...transactionActions(options.transactions ?? []), ...change.actions],
        reads: 'everything',
      });
      const inserted = rowCount(rows) - change.updated;
      return { snapshot: committed, duplicate: false, updated: change.updated, inserted };
    } catch (error) {
      if (!isMillraceError(error, 'TABLE_CONFLICT') || attempt === attemptsMax) throw error;
      for (const path of newPaths(change.actions))
        await context.storage.remove(decodePath(path, context.storage.location));
      snapshot = await context.log.latest(snapshot);
    }
  }
}

/** Times that an upsert is planned anew because others changed the table. */
const attemptsMax = 10;

interface Change {
  readonly actions: readonly Action[];
  readonly updated: number;
}

async function plan(context: TableContext, snapshot: Snapshot, rows: Rows, options: UpsertOptions): Promise<Change> {
  const { storage, db } = context;
  checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
  mayRemoveRows(snapshot, storage.location);
  const properties = tableProperties(snapshot.metadata);
  return db.session(async (session) => {
    const { schema } = scanSource(context, session, snapshot);
    await loadRows(session, 'rows', schema, rows);
    await checkRows(session, 'rows', rowConditions(schema, properties.constraints));
    await checkKeys(session, schema, options.key);
    const step = { context, session, snapshot, schema, options };
    return properties.deletionVectors ? planWithVectors(step) : planWithBuckets(step);
  });
}

interface Step {
  readonly context: TableContext;
  readonly session: DuckDbSession;
  readonly snapshot: Snapshot;
  readonly schema: StructType;
  readonly options: UpsertOptions;
}

async function planWithVectors(step: Step): Promise<Change> {
  const { context, session, snapshot, schema } = step;
  const matched = await match(step, filesFor(snapshot, context.storage.location));
  const changes = await describeChanges(step, matched);
  const added = await writeDataFiles(context.storage, session, 'rows', fileOptions(snapshot, schema));
  const removed = await removeByVector(context, matched);
  return { actions: [...removed, ...added.map((add): Action => ({ add })), ...changes], updated: countOf(matched) };
}

async function planWithBuckets(step: Step): Promise<Change> {
  const { context, session, snapshot, schema, options } = step;
  const { key, buckets = 16 } = options;
  const bucket = bucketSql(key, buckets);
  const found = await session.rows<[bigint]>(`SELECT DISTINCT ${bucket} FROM rows`);
  const touched = new Set(found.map(([each]) => Number(each)));
  const all = filesFor(snapshot, context.storage.location);
  // Files without a bucket are written anew once, into buckets; from then on only those that are touched.
  const files = all.filter((file) => mayHold(file, touched, buckets, key));
  const matched = await match(step, files);
  const changes = await describeChanges(step, matched);
  await using scan = await scanWhole(step, files);
  const keys = onKeys('old', 'rows', key);
  await session.run(
    `CREATE TEMP TABLE rewritten AS SELECT * FROM (
       SELECT * FROM rows
       UNION ALL BY NAME
       SELECT * FROM (${scan.sql}) AS old WHERE NOT EXISTS (SELECT 1 FROM rows WHERE ${keys})
     )`,
  );
  const added: AddFile[] = [];
  const present = await session.rows<[bigint]>(`SELECT DISTINCT ${bucket} AS bucket FROM rewritten ORDER BY bucket`);
  for (const [each] of present) {
    const relation = `(SELECT * FROM rewritten WHERE ${bucket} = ${each})`;
    const written = await writeDataFiles(context.storage, session, relation, fileOptions(snapshot, schema));
    const tags = { [bucketTag]: tagOf(Number(each), buckets, key) };
    added.push(...written.map((file) => ({ ...file, tags })));
  }
  return {
    actions: [
      ...files.map((file): Action => ({ remove: removeOf(file, true) })),
      ...added.map((add): Action => ({ add })),
      ...changes,
    ],
    updated: countOf(matched),
  };
}

/** Which rows of the files have a key of the new rows. Reads the key's columns only. */
async function match(
  { context, session, snapshot, options: { key } }: Step,
  files: readonly AddFile[],
): Promise<MatchedRows> {
  const source = scanSource(context, session, snapshot);
  const fields = source.schema.fields.filter(({ name }) => key.includes(name));
  await using scan = await scanFiles(
    { ...source, schema: { type: 'struct', fields } },
    files,
    (path) => decodePath(path, context.storage.location),
    { positions: true },
  );
  return await matchRows(
    session,
    files,
    `SELECT "_file", "_row" FROM (${scan.sql}) AS old SEMI JOIN rows ON ${onKeys('old', 'rows', key)}`,
  );
}

async function describeChanges(step: Step, matched: MatchedRows): Promise<Action[]> {
  const { context, session, snapshot, schema, options } = step;
  if (!tableProperties(snapshot.metadata).changeDataFeed) return [];
  await using scan = await scanWhole(step, [...matched.keys()]);
  const keys = onKeys('old', 'rows', options.key);
  const before = `(SELECT old.* FROM (${scan.sql}) AS old SEMI JOIN rows ON ${keys})`;
  await session.run(`CREATE TEMP TABLE before AS SELECT * FROM ${before}`);
  const known = onKeys('before', 'rows', options.key);
  return await writeChangeFiles(context, session, snapshot, schema, [
    { type: 'update_preimage', relation: 'before' },
    { type: 'update_postimage', relation: `(SELECT * FROM rows SEMI JOIN before ON ${known})` },
    { type: 'insert', relation: `(SELECT * FROM rows ANTI JOIN before ON ${known})` },
  ]);
}

function scanWhole({ context, session, snapshot }: Step, files: readonly AddFile[]): ReturnType<typeof scanFiles> {
  const source = scanSource(context, session, snapshot);
  return scanFiles(source, files, (path) => decodePath(path, context.storage.location));
}

function fileOptions({ metadata }: Snapshot, schema: StructType): DataFileOptions {
  const { indexedColumns } = tableProperties(metadata);
  return { schema, partitionColumns: metadata.partitionColumns, indexedColumns, dataChange: true };
}

function onKeys(left: string, right: string, key: readonly string[]): string {
  return key
    .map((column) => `${left}.${identifier(column)} IS NOT DISTINCT FROM ${right}.${identifier(column)}`)
    .join(' AND ');
}

async function checkKeys(session: DuckDbSession, schema: StructType, key: readonly string[]): Promise<void> {
  if (key.length === 0)
    throw new MillraceError('INVALID_ARGUMENT', 'An upsert wants a key of one column or more, found none');
  for (const column of key) {
    if (typeof columnType(schema, column) === 'object') {
      throw new MillraceError('INVALID_ARGUMENT', `The column '${column}' can't be a key: it is not simple`, {
        column,
      });
    }
  }
  const columns = key.map(identifier).join(', ');
  const twice = await session.rows<unknown[]>(`SELECT ${columns} FROM rows GROUP BY ALL HAVING count(*) > 1 LIMIT 1`);
  if (twice[0] === undefined) return;
  const found = key.map((column, at) => `${column} = ${String(twice[0]![at])}`).join(', ');
  throw new MillraceError('ROW_INVALID', `The key ${found} stands twice in the rows of one upsert`, {
    key: key.join(','),
  });
}

function countOf(matched: MatchedRows): number {
  return [...matched.values()].reduce((sum, rows) => sum + rows.length, 0);
}

/** Files that only this change names. A deletion vector's file is left to `vacuum`: it is shared by several actions. */
function newPaths(actions: readonly Action[]): string[] {
  const removed = new Set(actions.flatMap((action) => ('remove' in action ? [action.remove.path] : [])));
  return actions.flatMap((action) =>
    'add' in action && !removed.has(action.add.path) ? [action.add.path] : 'cdc' in action ? [action.cdc.path] : [],
  );
}
