import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';

export interface DuckDbOptions {
  /** DuckDB's own bound, past which it spills to a temporary folder. Default 512 MiB. */
  readonly memoryBytesMax?: number;
  /** Default 2. */
  readonly threads?: number;
}

/**
 * DuckDB, in memory, as what it is here: the reader and writer of Parquet. Tables that share one share its memory bound and
 * threads. Time zones never matter: everything is UTC.
 */
export class DuckDb implements AsyncDisposable {
  readonly #instance: DuckDBInstance;
  readonly #spillFolder: string;

  private constructor(instance: DuckDBInstance, spillFolder: string) {
    this.#instance = instance;
    this.#spillFolder = spillFolder;
  }

  static async open({ memoryBytesMax = 512 * 1024 * 1024, threads = 2 }: DuckDbOptions = {}): Promise<DuckDb> {
    const spillFolder = await mkdtemp(join(tmpdir(), 'millrace-delta-'));
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: `${Math.ceil(memoryBytesMax / 1e6)}MB`,
        threads: String(threads),
        temp_directory: join(spillFolder, 'spill'),
        // Nothing here needs more than what is built in.
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const db = new DuckDb(instance, spillFolder);
      await db.session((session) => session.run("SET GLOBAL TimeZone = 'UTC'"));
      return db;
    } catch (error) {
      await rm(spillFolder, { recursive: true, force: true });
      throw error;
    }
  }

  /** One connection's worth of work: its temporary tables go when it ends. Sessions may run side by side. */
  async session<T>(work: (session: DuckDbSession) => Promise<T>): Promise<T> {
    await using session = await this.connect();
    return await work(session);
  }

  /** The same for work that hands out rows while it lasts. */
  async connect(): Promise<DuckDbSession> {
    return new DuckDbSession(await this.#instance.connect());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#instance.closeSync();
    await rm(this.#spillFolder, { recursive: true, force: true });
  }
}

export class DuckDbSession implements AsyncDisposable {
  readonly connection: DuckDBConnection;
  #tables = 0;

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  /** A name for a temporary table that no other of this session has. */
  newTable(): string {
    return `_millrace_${this.#tables++}`;
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** All rows of a small result. */
  async rows<Row extends readonly unknown[]>(sql: string): Promise<readonly Row[]> {
    const reader = await this.connection.runAndReadAll(sql);
    return reader.getRows() as unknown as readonly Row[];
  }

  /** A result by columns, a chunk of some thousand rows at a time. Finish it before the next statement. */
  async *chunks(sql: string): AsyncGenerator<DuckDBValue[][], void, undefined> {
    const result = await this.connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk.getColumns();
    }
  }

  /** What a statement would give, without running it. */
  async columns(sql: string): Promise<ReadonlyMap<string, DuckDBType>> {
    const result = await this.connection.stream(`SELECT * FROM (${sql}) LIMIT 0`);
    const types = result.columnTypes();
    return new Map(result.columnNames().map((name, at) => [name, types[at]!]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.closeSync();
  }
}
