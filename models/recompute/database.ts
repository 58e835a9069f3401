import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { Rows } from './rows.ts';

export type Cell = string | number | bigint | boolean | null;

export interface DatabaseOptions {
  /** DuckDB's own bound, past which it spills to a temporary folder. Default 700 MB. */
  readonly memoryBytesMax?: number;
  /** Default 2. */
  readonly threads?: number;
}

/** A DuckDB in memory with a bound, its spill folder, and the few calls the recomputation needs. */
export class Database implements AsyncDisposable {
  readonly #instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
  /** Removed when the database is disposed of. */
  readonly folder: string;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.#instance = instance;
    this.connection = connection;
    this.folder = folder;
  }

  static async open(options: DatabaseOptions = {}): Promise<Database> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-recompute-'));
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: `${Math.ceil((options.memoryBytesMax ?? 700e6) / 1e6)}MB`,
        threads: String(options.threads ?? 2),
        temp_directory: join(folder, 'spill'),
      });
      return new Database(instance, await instance.connect(), folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** Rows of a query, streamed. Finish it before the next query: there is one connection. */
  async *rows<Row extends readonly Cell[]>(sql: string): AsyncGenerator<Row, void, undefined> {
    for await (const columns of this.columns(sql)) {
      const length = columns[0]?.length ?? 0;
      for (let at = 0; at < length; at++) yield columns.map((column) => column[at]) as unknown as Row;
    }
  }

  /** The same a few thousand rows at a time, by column: for the tables with millions of rows. */
  async *columns(sql: string): AsyncGenerator<DuckDBValue[][], void, undefined> {
    const result = await this.connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk.getColumns();
    }
  }

  /** Appends rows to a table, a chunk of 2,048 at a time; the types are those of its columns, in their order. */
  async append(table: string, types: readonly DuckDBType[], rows: Rows<readonly DuckDBValue[]>): Promise<void> {
    const appender = await this.connection.createAppender(table);
    let waiting: (readonly DuckDBValue[])[] = [];
    const flush = (): void => {
      const chunk = DuckDBDataChunk.create(types);
      chunk.setRows(waiting);
      appender.appendDataChunk(chunk);
      waiting = [];
    };
    for await (const row of rows) {
      waiting.push(row);
      if (waiting.length === 2048) flush();
    }
    if (waiting.length > 0) flush();
    appender.closeSync();
  }

  /** The one row of an aggregate. */
  async row<Row extends readonly Cell[]>(sql: string): Promise<Row> {
    let found: Row | undefined;
    for await (const row of this.rows<Row>(sql)) found = row;
    if (found === undefined) throw new MillraceError('INTERNAL', `The recomputation wants 1 row, found 0: ${sql}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.closeSync();
    this.#instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }
}
