import type { TableContext } from '../context.ts';
import type { Action } from '../log/action.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { writeDataFiles } from '../parquet/data-file-writer.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { identifier, literal } from '../parquet/sql.ts';
import type { StructType } from '../schema/schema.ts';

export type ChangeType = 'insert' | 'update_preimage' | 'update_postimage' | 'delete';

export const changeTypeColumn = '_change_type';

/**
 * What changed, row by row, for those who read the change data feed (protocol, Add CDC File). A commit that changes rows of
 * files has to say it; one that only adds or removes whole files need not, and is read from those.
 */
export async function writeChangeFiles(
  { storage }: TableContext,
  session: DuckDbSession,
  snapshot: Snapshot,
  schema: StructType,
  changes: readonly { readonly type: ChangeType; readonly relation: string }[],
): Promise<Action[]> {
  if (!tableProperties(snapshot.metadata).changeDataFeed) return [];
  const columns = schema.fields.map(({ name }) => identifier(name)).join(', ');
  const parts = changes.map(
    ({ type, relation }) => `SELECT ${columns}, ${literal(type)} AS ${identifier(changeTypeColumn)} FROM ${relation}`,
  );
  const files = await writeDataFiles(storage, session, `(${parts.join(' UNION ALL ')})`, {
    schema,
    partitionColumns: snapshot.metadata.partitionColumns,
    indexedColumns: 0,
    dataChange: false,
    folder: '_change_data',
    extraColumns: [changeTypeColumn],
  });
  return files.map(({ path, partitionValues, size }) => ({ cdc: { path, partitionValues, size, dataChange: false } }));
}
