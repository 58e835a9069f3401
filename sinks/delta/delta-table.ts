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
    this.#moveTo(written.snapshot);
    if (!written.duplicate) await this.#checkpointWhenDue(written.snapshot);
    return written;
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

  async #checkpointWhenDue(snapshot: Snapshot): Promise<void> {
    const { checkpoints = true, onCheckpointFailure = warn } = this.#options;
    const { checkpointInterval } = tableProperties(snapshot.metadata);
    if (!checkpoints || checkpointInterval <= 0 || snapshot.version % checkpointInterval !== 0) return;
    try {
      await writeCheckpoint(this.#context.storage, this.#context.db, snapshot);
    } catch (error) {
      onCheckpointFailure(error);
    }
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
