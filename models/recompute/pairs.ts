import type { Database } from './database.ts';
import { PairTable } from './pair-table.ts';

export const distanceMax = 10;

/** The weight of a pair seen d apart: `round(1024 / sqrt(d))` from the earlier item, `round(768 / sqrt(d))` back to it. */
export function weightsAt(distance: number): { readonly forward: number; readonly back: number } {
  return { forward: Math.round(1024 / Math.sqrt(distance)), back: Math.round(768 / Math.sqrt(distance)) };
}

/**
 * Pair rows by two aggregations instead of one step after the other.
 *
 * Within a session a directed pair counts with its largest candidate, which is what the increments of the step add up
 * to; so: join each sequence with itself 1..10 apart, take the maximum per session and pair, then add over sessions.
 * The rule that an item is skipped where it stood at a smaller distance already needs no line here: weights fall with
 * the distance, so such a candidate is never the largest.
 *
 * Unordered pairs (low < high) carry both directions through the first aggregation, which halves it.
 */
export async function pairs(database: Database): Promise<PairTable> {
  const distances = Array.from({ length: distanceMax }, (_, at) => {
    const { forward, back } = weightsAt(at + 1);
    return `(${at + 1}, ${forward}, ${back})`;
  });
  await database.run(`
    CREATE TABLE pair_sums AS
    WITH distances (d, forward, back) AS (VALUES ${distances.join(', ')}),
    candidates AS (
      SELECT later.session, later.bought, earlier.item AS i, later.item AS j, forward, back
      FROM sequences AS later, distances, sequences AS earlier
      WHERE earlier.session = later.session AND earlier.bought = later.bought
        AND earlier.position = later.position - d AND earlier.item <> later.item),
    per_session AS (
      SELECT bought, least(i, j) AS low, greatest(i, j) AS high,
        max(CASE WHEN i < j THEN forward ELSE back END) AS up,
        max(CASE WHEN i < j THEN back ELSE forward END) AS down
      FROM candidates GROUP BY session, bought, low, high)
    SELECT bought, low, high, sum(up)::DOUBLE AS up, sum(down)::DOUBLE AS down, count(*)::INTEGER AS sessions
    FROM per_session GROUP BY bought, low, high`);

  const ids: string[] = [];
  for await (const [id] of database.rows<[string]>('SELECT product_id FROM items ORDER BY item')) ids.push(id);
  const [rows] = await database.row<[number]>('SELECT (2 * count(*))::DOUBLE FROM pair_sums');
  const table = new PairTable(ids, rows);
  const directed = `
    SELECT bought::INTEGER, low AS item, high AS neighbour, up, sessions FROM pair_sums
    UNION ALL SELECT bought::INTEGER, high, low, down, sessions FROM pair_sums
    ORDER BY 1, 2, 3`;
  for await (const columns of database.columns(directed)) table.append(columns as number[][]);
  await database.run('DROP TABLE pair_sums');
  return table;
}
