import { INTEGER } from '@duckdb/node-api';
import type { Database } from './database.ts';

/** Makes a table of one column `seq`: rows of another table, by their places in the log. */
export async function appendSeqs(database: Database, table: string, seqs: readonly number[]): Promise<void> {
  await database.run(`CREATE TABLE ${table} (seq INTEGER)`);
  await database.append(
    table,
    [INTEGER],
    seqs.map((seq) => [seq]),
  );
}
