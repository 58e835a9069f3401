import { isMillraceError, MillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import { deltaFaults } from '../faults.ts';
import type { Action, AddFile } from '../log/action.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { writeDataFiles } from '../parquet/data-file-writer.ts';
import { loadRows, rowCount, type Rows } from '../parquet/rows.ts';
import { parseSchema } from '../schema/schema.ts';
import { checkRows, rowConditions } from './constraints.ts';

/** How far an application has come with this write. The same version twice is written once. */
export interface WriteTransaction {
  /** Of one writer of one source, for example of a topic's partition. */
  readonly appId: string;
  /** Grows from write to write, for example the last offset. */
  readonly version: bigint;
}

export interface WriteOptions {
  readonly transactions?: readonly WriteTransaction[];
  /** Free text that `history` shows, for example the offsets that are in it. */
  readonly userMetadata?: string;
}

export interface Written {
  readonly snapshot: Snapshot;
  /** Everything was in the table already: nothing was written. */
  readonly duplicate: boolean;
}

/**
 * Adds rows in one commit, together with how far their application has come. The rows are the same whatever others do to the
 * table meanwhile, so a lost race costs another try of the log entry alone; only when the schema or the same application's
 * transaction changed is everything looked at anew.
 * @throws MillraceError `ROW_INVALID`, `TABLE_UNSUPPORTED`, `TABLE_CONFLICT`, `STORAGE_FAILED`, `STORAGE_FULL`
 */
export async function append(
  context: TableContext,
  base: Snapshot,
  rows: Rows,
  options: WriteOptions = {},
): Promise<Written> {
  const { transactions = [], userMetadata } = options;
  let snapshot = base;
  for (let attempt = 1; ; attempt++) {
    if (isWritten(snapshot, transactions, context.storage.location)) return { snapshot, duplicate: true };
    const files = await writeRows(context, snapshot, rows);
    deltaFaults.reached?.('data-written');
    try {
      const committed = await commit(context.storage, snapshot, {
        operation: 'WRITE',
        parameters: { mode: 'Append', partitionBy: JSON.stringify(snapshot.metadata.partitionColumns) },
        metrics: writeMetrics(files, rowCount(rows)),
        ...(userMetadata !== undefined && { userMetadata }),
        actions: [...transactionActions(transactions), ...files.map((add): Action => ({ add }))],
        reads: 'nothing',
      });
      return { snapshot: committed, duplicate: false };
    } catch (error) {
      if (!isMillraceError(error, 'TABLE_CONFLICT')) throw error; // The entry may be there yet: its files stay.
      for (const { path } of files) await context.storage.remove(decodeURIComponent(path));
      if (attempt === attemptsMax) throw error;
      snapshot = await context.log.latest(snapshot);
    }
  }
}

/** Times that rows are written anew because schema or properties changed under them. */
const attemptsMax = 10;

/** Whether all of it was committed before. @throws MillraceError `TABLE_CONFLICT` when a part was */
export function isWritten(snapshot: Snapshot, transactions: readonly WriteTransaction[], location: string): boolean {
  const done = transactions.filter(
    ({ appId, version }) => (snapshot.transactions.get(appId)?.version ?? -1n) >= version,
  );
  if (done.length === 0 || done.length === transactions.length) return done.length > 0;
  const names = done.map(({ appId, version }) => `'${appId}' up to ${version}`).join(', ');
  throw new MillraceError(
    'TABLE_CONFLICT',
    `${names} is in the table ${location} already, and other transactions of the same write are not: leave those rows out`,
    { table: location, conflict: 'transaction' },
  );
}

export function transactionActions(transactions: readonly WriteTransaction[]): Action[] {
  const lastUpdated = Date.now();
  return transactions.map(({ appId, version }) => ({ txn: { appId, version, lastUpdated } }));
}

function writeMetrics(files: readonly AddFile[], rows: number): Readonly<Record<string, string>> {
  return {
    numFiles: String(files.length),
    numOutputRows: String(rows),
    numOutputBytes: String(files.reduce((sum, { size }) => sum + size, 0)),
  };
}

async function writeRows({ storage, db }: TableContext, snapshot: Snapshot, rows: Rows): Promise<AddFile[]> {
  checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
  const schema = parseSchema(snapshot.metadata.schemaString, storage.location);
  const { constraints, indexedColumns } = tableProperties(snapshot.metadata);
  const conditions = rowConditions(schema, constraints);
  return db.session(async (session) => {
    await loadRows(session, 'rows', schema, rows);
    await checkRows(session, 'rows', conditions);
    return writeDataFiles(storage, session, 'rows', {
      schema,
      partitionColumns: snapshot.metadata.partitionColumns,
      indexedColumns,
      dataChange: true,
    });
  });
}
