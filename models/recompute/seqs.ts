import { DuckDBDataChunk, INTEGER } from '@duckdb/node-api';
import type { Database } from './database.ts';

/** Makes a table of one column `seq`: rows of another table, by their places in the log. */
export async function appendSeqs(database: Database, table: string, seqs: readonly number[]): Promise<void> {
  await database.run(`CREATE TABLE ${table} (seq INTEGER)`);
  const appender = await database.connection.createAppender(table);
  for (let from = 0; from < seqs.length; from += 2048) {
    const chunk = DuckDBDataChunk.create([INTEGER]);
    chunk.setColumns([seqs.slice(from, from + 2048)]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
