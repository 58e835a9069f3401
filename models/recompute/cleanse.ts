import { DuckDBDataChunk, INTEGER } from '@duckdb/node-api';
import type { Database } from './database.ts';

/** Of two events with one id in a partition, at most this far apart in event time, the later in log order is dropped. */
export const dedupeHorizonMs = 24 * 60 * 60 * 1000;

/**
 * Which of the events with one id, in log order, are duplicates: those within the horizon of one that was accepted.
 *
 *     duplicatesOf([0, 20 h, 30 h, 23 h])  // [false, true, false, true]: 30 h is compared with 0 h alone
 */
export function duplicatesOf(timestamps: readonly number[], horizonMs: number = dedupeHorizonMs): boolean[] {
  const accepted: number[] = [];
  return timestamps.map((timestamp) => {
    if (accepted.some((earlier) => Math.abs(timestamp - earlier) <= horizonMs)) return true;
    accepted.push(timestamp);
    return false;
  });
}

/** Makes `events` of `arrived`. Gives the number of duplicates that were dropped. */
export async function cleanse(database: Database): Promise<number> {
  const dropped: number[] = [];
  let group = '';
  let seqs: number[] = [];
  let timestamps: number[] = [];
  const settle = (): void => {
    for (const [at, duplicate] of duplicatesOf(timestamps).entries()) if (duplicate) dropped.push(seqs[at]!);
    seqs = [];
    timestamps = [];
  };
  const repeated = `
    WITH ids AS (SELECT partition, event_id FROM arrived GROUP BY ALL HAVING count(*) > 1)
    SELECT partition, event_id, seq::DOUBLE, ts::DOUBLE FROM arrived JOIN ids USING (partition, event_id)
    ORDER BY partition, event_id, seq`;
  for await (const [partition, eventId, seq, timestamp] of database.rows<[number, string, number, number]>(repeated)) {
    const key = `${partition} ${eventId}`;
    if (key !== group) settle();
    group = key;
    seqs.push(seq);
    timestamps.push(timestamp);
  }
  settle();

  await appendColumn(database, 'dropped', dropped);
  await database.run('CREATE TABLE events AS SELECT * FROM arrived ANTI JOIN dropped USING (seq) ORDER BY seq');
  await database.run('DROP TABLE arrived; DROP TABLE dropped');
  return dropped.length;
}

async function appendColumn(database: Database, table: string, seqs: readonly number[]): Promise<void> {
  await database.run(`CREATE TABLE ${table} (seq INTEGER)`);
  const appender = await database.connection.createAppender(table);
  for (let from = 0; from < seqs.length; from += 2048) {
    const chunk = DuckDBDataChunk.create([INTEGER]);
    chunk.setColumns([seqs.slice(from, from + 2048)]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
