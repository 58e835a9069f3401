import type { Database } from './database.ts';
import { pageParameters } from './parameters.ts';
import { appendSeqs } from './seqs.ts';

/**
 * Which of the events with one id, user and session, in log order, are duplicates: those within the horizon of one that was accepted.
 *
 *     duplicatesOf([0, 20 h, 30 h, 23 h])  // [false, true, false, true]: 30 h is compared with 0 h alone
 */
export function duplicatesOf(
  timestamps: readonly number[],
  horizonMs: number = pageParameters.dedupeHorizonMs,
): boolean[] {
  const accepted: number[] = [];
  return timestamps.map((timestamp) => {
    if (accepted.some((earlier) => Math.abs(timestamp - earlier) <= horizonMs)) return true;
    accepted.push(timestamp);
    return false;
  });
}

/** Makes `events` of `arrived`. Gives the number of duplicates that were dropped. */
export async function cleanse(database: Database, horizonMs: number): Promise<number> {
  const dropped: number[] = [];
  let group = '';
  let seqs: number[] = [];
  let timestamps: number[] = [];
  const settle = (): void => {
    for (const [at, duplicate] of duplicatesOf(timestamps, horizonMs).entries()) if (duplicate) dropped.push(seqs[at]!);
    seqs = [];
    timestamps = [];
  };
  // A null user joins nothing, so it is written as the empty text, which no user has.
  const repeated = `
    WITH named AS (SELECT session_key, coalesce(user_id, '') AS user, event_id, seq, ts FROM arrived),
      ids AS (SELECT session_key, user, event_id FROM named GROUP BY ALL HAVING count(*) > 1)
    SELECT session_key, user, event_id, seq::DOUBLE, ts::DOUBLE FROM named JOIN ids USING (session_key, user, event_id)
    ORDER BY session_key, user, event_id, seq`;
  type Repeated = [sessionKey: string, user: string, eventId: string, seq: number, timestamp: number];
  for await (const [sessionKey, user, eventId, seq, timestamp] of database.rows<Repeated>(repeated)) {
    const key = JSON.stringify([sessionKey, user, eventId]);
    if (key !== group) settle();
    group = key;
    seqs.push(seq);
    timestamps.push(timestamp);
  }
  settle();

  await appendSeqs(database, 'dropped', dropped);
  await database.run('CREATE TABLE events AS SELECT * FROM arrived ANTI JOIN dropped USING (seq) ORDER BY seq');
  await database.run('DROP TABLE arrived; DROP TABLE dropped');
  return dropped.length;
}
