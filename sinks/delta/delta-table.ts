import { deleteRows, type Deleted, type DeleteOptions } from './change/delete-rows.ts';
import { upsert, type UpsertOptions, type Upserted } from './change/upsert.ts';
import { cleanLog } from './maintenance/log-cleanup.ts';
import { optimize, type Optimized, type OptimizeOptions } from './maintenance/optimize.ts';
import { restore } from './maintenance/restore.ts';
import { vacuum, type Vacuumed, type VacuumOptions } from './maintenance/vacuum.ts';
import { type ChangedRow, type ChangeRange, readChanges } from './read/changes.ts';
import type { Filter } from './read/filter.ts';
import { writeCheckpoint } from './log/checkpoint-writer.ts';
import { DeltaLog } from './log/delta-log.ts';
import { history, type HistoryEntry, versionAt } from './log/history.ts';
import type { Snapshot } from './log/snapshot.ts';
import { tableProperties } from './log/table-properties.ts';
import type { TableContext } from './context.ts';
import type { DuckDb } from './parquet/duck-db.ts';
import type { Rows } from './parquet/rows.ts';
import { shareDuckDb } from './parquet/shared-duck-db.ts';
import { copyRows, countRows, type FileFormat, type ReadOptions, readRows, readSchema } from './read/scan-table.ts';
import type { StructType } from './schema/schema.ts';
import type { Row } from './schema/value.ts';
import { LocalFolder } from './storage/local-folder.ts';
import type { Storage } from './storage/storage.ts';
import { addColumns, addConstraint, dropConstraint, setProperties } from './write/alter.ts';
import { append, type WriteOptions, type Written } from './write/append.ts';
import { createTable, type TableDefinition } from './write/create.ts';

export interface DeltaTableOptions {
  /** A DuckDB of one's own; default one that all tables of the process share. It is not closed with the table. */
  readonly db?: DuckDb;
  /** Whether commits bring a Delta checkpoint when `delta.checkpointInterval` says so. Default true. */
  readonly checkpoints?: boolean;
  /** A checkpoint that fails takes no commit with it: it is said here. Default: a warning of the process. */
  readonly onCheckpointFailure?: (error: unknown) => void;
}

/** Which version to read: one, the one at a time, or the newest. */
export interface AsOf {
  readonly version?: number;
  readonly timestampMs?: number;
}

/**
 * A Delta table. Any number of processes may have one open, and write to it.
 *
 *     await using table = await DeltaTable.create('/lake/orders', { schema: tableSchema({ id: 'long', title: 'string' }) });
 *     await table.append([{ id: 1n, title: 'teapot' }], { transactions: [{ appId: 'orders-0', version: 41n }] });
 *     for await (const rows of table.read({ filters: [{ column: 'id', op: '=', value: 1n }] })) console.log(rows);
 *     // [ { id: 1n, title: 'teapot' } ]
 *
 * Reads are of one version, whatever is written meanwhile. An instance sees its own writes at once, and those of others after
 * `refresh`, or when a write of its own met them.
 */
export class DeltaTable implements AsyncDisposable {
  readonly #context: TableContext;
  readonly #options: DeltaTableOptions;
  readonly #shared: AsyncDisposable | undefined;
  #snapshot: Snapshot;

  private constructor(opened: Opened, options: DeltaTableOptions, snapshot: Snapshot) {
    this.#context = opened.context;
    this.#shared = opened.shared;
    this.#options = options;
    this.#snapshot = snapshot;
  }

  /** @throws MillraceError `TABLE_EXISTS`, `INVALID_ARGUMENT`, `STORAGE_FAILED` */
  static async create(
    where: string | Storage,
    definition: TableDefinition,
    options: DeltaTableOptions = {},
  ): Promise<DeltaTable> {
    return DeltaTable.#opening(where, options, (context) => createTable(context, definition));
  }

  /** @throws MillraceError `TABLE_NOT_FOUND`, `TABLE_CORRUPT`, `TABLE_UNSUPPORTED`, `STORAGE_FAILED` */
  static async open(where: string | Storage, options: DeltaTableOptions = {}): Promise<DeltaTable> {
    return DeltaTable.#opening(where, options, (context) => context.log.snapshot());
  }

  static async #opening(
    where: string | Storage,
    options: DeltaTableOptions,
    first: (context: TableContext) => Promise<Snapshot>,
  ): Promise<DeltaTable> {
    const opened = await openContext(where, options);
    try {
      return new DeltaTable(opened, options, await first(opened.context));
    } catch (error) {
      await opened.shared?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The version that this instance sees. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get schema(): StructType {
    return readSchema(this.#snapshot, this.#context.storage.location);
  }

  /** Looks for commits of others. */
  async refresh(): Promise<Snapshot> {
    return this.#moveTo(await this.#context.log.latest(this.#snapshot));
  }

  /** Adds rows: write/append.ts. */
  async append(rows: Rows, options: WriteOptions = {}): Promise<Written> {
    const written = await append(this.#context, this.#snapshot, rows, options);
    await this.#committed(written.snapshot);
    return written;
  }

  /** Puts rows in the place of those with the same key, and adds the others: change/upsert.ts. */
  async upsert(rows: Rows, options: UpsertOptions): Promise<Upserted> {
    const written = await upsert(this.#context, this.#snapshot, rows, options);
    await this.#committed(written.snapshot);
    return written;
  }

  /** Takes the rows out for which all filters are true: change/delete-rows.ts. */
  async delete(filters: readonly Filter[], options: DeleteOptions = {}): Promise<Deleted> {
    const deleted = await deleteRows(this.#context, this.#snapshot, filters, options);
    await this.#committed(deleted.snapshot);
    return deleted;
  }

  /** Rows of a version, in no order, some thousand at a time. */
  async *read(options: ReadOptions & AsOf = {}): AsyncGenerator<readonly Row[], void, undefined> {
    yield* readRows(this.#context, await this.snapshotAt(options), options);
  }

  async count(options: ReadOptions & AsOf = {}): Promise<number> {
    return countRows(this.#context, await this.snapshotAt(options), options);
  }

  /** Writes the rows of a version to a file of this machine, and says how many. */
  async copyTo(
    target: { readonly path: string; readonly format: FileFormat },
    options: ReadOptions & AsOf = {},
  ): Promise<number> {
    return copyRows(this.#context, await this.snapshotAt(options), target, options);
  }

  /** @throws MillraceError `TABLE_VERSION_NOT_FOUND` for one that the log does not have, or not any more */
  async snapshotAt({ version, timestampMs }: AsOf): Promise<Snapshot> {
    const { log } = this.#context;
    const wanted = version ?? (timestampMs === undefined ? undefined : await versionAt(log, timestampMs));
    return wanted === undefined || wanted === this.#snapshot.version ? this.#snapshot : log.snapshot(wanted);
  }

  /** The commits that the log still has, newest first. */
  async history(limit?: number): Promise<HistoryEntry[]> {
    return history(this.#context.log, limit);
  }

  /** What versions changed, row by row: read/changes.ts. */
  async *changes(range: ChangeRange): AsyncGenerator<readonly ChangedRow[], void, undefined> {
    yield* readChanges(this.#context, this.#snapshot, range);
  }

  /** Puts small files together: maintenance/optimize.ts. */
  async optimize(options: OptimizeOptions = {}): Promise<Optimized> {
    const optimized = await optimize(this.#context, await this.refresh(), options);
    await this.#committed(optimized.snapshot);
    return optimized;
  }

  /** Takes away files that no version within the retention needs: maintenance/vacuum.ts. */
  async vacuum(options: VacuumOptions = {}): Promise<Vacuumed> {
    return vacuum(this.#context, options);
  }

  /** Takes away entries of the log that are past their retention, and says which: maintenance/log-cleanup.ts. */
  async cleanLog(): Promise<readonly string[]> {
    return cleanLog(this.#context, await this.refresh());
  }

  /** Makes the table what it was, by a new version: maintenance/restore.ts. */
  async restore(asOf: AsOf): Promise<Snapshot> {
    const then = await this.snapshotAt(asOf);
    return this.#committed(await restore(this.#context, await this.refresh(), then));
  }

  /** Adds columns, null in the rows that are there: write/alter.ts. */
  async addColumns(columns: StructType): Promise<Snapshot> {
    return this.#committed(await addColumns(this.#context, await this.refresh(), columns));
  }

  /** Sets properties, and takes away those that are undefined. */
  async setProperties(properties: Readonly<Record<string, string | undefined>>): Promise<Snapshot> {
    return this.#committed(await setProperties(this.#context, await this.refresh(), properties));
  }

  /** Adds a CHECK constraint that all rows meet, such as `quantity > 0`. */
  async addConstraint(name: string, expression: string): Promise<Snapshot> {
    return this.#committed(await addConstraint(this.#context, await this.refresh(), { name, expression }));
  }

  async dropConstraint(name: string): Promise<Snapshot> {
    return this.#committed(await dropConstraint(this.#context, await this.refresh(), name));
  }

  /** Writes a Delta checkpoint of the version that this instance sees. */
  async checkpoint(): Promise<void> {
    await writeCheckpoint(this.#context.storage, this.#context.db, this.#snapshot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shared?.[Symbol.asyncDispose]();
  }

  /** Two writes of one instance may end in either order. */
  #moveTo(snapshot: Snapshot): Snapshot {
    if (snapshot.version > this.#snapshot.version) this.#snapshot = snapshot;
    return this.#snapshot;
  }

  /** Goes on from a commit, with a Delta checkpoint whenever the interval was passed. */
  async #committed(snapshot: Snapshot): Promise<Snapshot> {
    const before = this.#snapshot.version;
    this.#moveTo(snapshot);
    const { checkpoints = true, onCheckpointFailure = warn } = this.#options;
    const { checkpointInterval } = tableProperties(snapshot.metadata);
    const passed = (version: number): number => Math.floor(version / checkpointInterval);
    if (!checkpoints || checkpointInterval <= 0 || passed(snapshot.version) <= passed(before)) return snapshot;
    try {
      await writeCheckpoint(this.#context.storage, this.#context.db, snapshot);
    } catch (error) {
      onCheckpointFailure(error);
    }
    return snapshot;
  }
}

interface Opened {
  readonly context: TableContext;
  readonly shared: AsyncDisposable | undefined;
}

async function openContext(where: string | Storage, { db }: DeltaTableOptions): Promise<Opened> {
  const storage = typeof where === 'string' ? new LocalFolder(where) : where;
  const shared = db === undefined ? await shareDuckDb() : undefined;
  const used = db ?? shared!.db;
  return { context: { storage, db: used, log: new DeltaLog(storage, used) }, shared };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
