import { isMillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import { deltaFaults } from '../faults.ts';
import type { Action } from '../log/action.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { decodePath } from '../log/uri-path.ts';
import { mayRemoveRows } from '../maintenance/restore.ts';
import { removeOf } from '../maintenance/optimize.ts';
import { writeDataFiles } from '../parquet/data-file-writer.ts';
import { type Filter, filterSql } from '../read/filter.ts';
import { scanFiles } from '../read/scan.ts';
import { filesFor, scanSource } from '../read/scan-table.ts';
import type { WriteOptions } from '../write/append.ts';
import { writeChangeFiles } from './change-files.ts';
import { matchRows } from './matched-rows.ts';
import { removeByVector } from './row-removal.ts';

export type DeleteOptions = Pick<WriteOptions, 'userMetadata'>;

export interface Deleted {
  readonly snapshot: Snapshot;
  readonly rows: number;
}

/**
 * Takes the rows out for which all filters are true, in one commit: by deletion vectors where the table has them switched on,
 * else by writing the files anew that hold such rows. No rows, no commit.
 * @throws MillraceError `TABLE_CONFLICT`, `TABLE_UNSUPPORTED` for a table that is append-only
 */
export async function deleteRows(
  context: TableContext,
  base: Snapshot,
  filters: readonly Filter[],
  { userMetadata }: DeleteOptions = {},
): Promise<Deleted> {
  let snapshot = base;
  for (let attempt = 1; ; attempt++) {
    const { actions, rows } = await plan(context, snapshot, filters);
    if (rows === 0) return { snapshot, rows };
    deltaFaults.reached?.('data-written');
    try {
      const committed = await commit(context.storage, snapshot, {
        operation: 'DELETE',
        parameters: { predicate: JSON.stringify(filters.map(({ column, op }) => `${column} ${op}`)) },
        metrics: { numDeletedRows: String(rows) },
        ...(userMetadata !== undefined && { userMetadata }),
        actions,
        reads: 'everything',
      });
      return { snapshot: committed, rows };
    } catch (error) {
      if (!isMillraceError(error, 'TABLE_CONFLICT') || attempt === attemptsMax) throw error;
      snapshot = await context.log.latest(snapshot);
    }
  }
}

const attemptsMax = 10;

async function plan(
  context: TableContext,
  snapshot: Snapshot,
  filters: readonly Filter[],
): Promise<{ readonly actions: readonly Action[]; readonly rows: number }> {
  const { storage, db } = context;
  checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
  mayRemoveRows(snapshot, storage.location);
  const { deletionVectors, indexedColumns } = tableProperties(snapshot.metadata);
  return db.session(async (session) => {
    const source = scanSource(context, session, snapshot);
    const condition = filterSql(filters, source.schema);
    const candidates = filesFor(snapshot, storage.location, filters);
    const pathOf = (path: string): string => decodePath(path, storage.location);
    await using found = await scanFiles(source, candidates, pathOf, { positions: true });
    const matched = await matchRows(
      session,
      candidates,
      `SELECT "_file", "_row" FROM (${found.sql}) WHERE ${condition}`,
    );
    const rows = [...matched.values()].reduce((sum, positions) => sum + positions.length, 0);
    if (rows === 0) return { actions: [], rows };
    const files = [...matched.keys()];
    await using scan = await scanFiles(source, files, pathOf);
    const changes = await writeChangeFiles(context, session, snapshot, source.schema, [
      { type: 'delete', relation: `(SELECT * FROM (${scan.sql}) WHERE ${condition})` },
    ]);
    if (deletionVectors) return { actions: [...(await removeByVector(context, matched)), ...changes], rows };
    const kept = await writeDataFiles(
      storage,
      session,
      `(SELECT * FROM (${scan.sql}) WHERE (${condition}) IS DISTINCT FROM true)`,
      {
        schema: source.schema,
        partitionColumns: snapshot.metadata.partitionColumns,
        indexedColumns,
        dataChange: true,
      },
    );
    const removed = files.map((file): Action => ({ remove: removeOf(file, true) }));
    return { actions: [...removed, ...kept.map((add): Action => ({ add })), ...changes], rows };
  });
}
