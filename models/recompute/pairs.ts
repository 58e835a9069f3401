import type { Database } from './database.ts';
import { PairTable } from './pair-table.ts';
import { relations } from './rows.ts';

/** The weight of a pair seen d apart: `round(1024 / sqrt(d))` from the earlier item, `round(768 / sqrt(d))` back to it. */
export function weightsAt(distance: number): { readonly forward: number; readonly back: number } {
  return { forward: Math.round(1024 / Math.sqrt(distance)), back: Math.round(768 / Math.sqrt(distance)) };
}

/**
 * Pair rows by two aggregations instead of one step after the other.
 *
 * Within a session a directed pair counts with its largest candidate, which is what the increments of the step add up
 * to; so: join each sequence with itself 1..positions (10) apart, take the maximum per session and pair, then add over sessions.
 * The rule that an item is skipped where it stood at a smaller distance already needs no line here: weights fall with
 * the distance, so such a candidate is never the largest.
 *
 * viewed-bought is of the same kind: each session's first purchase of an item beside its last so many views before it, the
 * largest candidate of each pair, then the sum.
 *
 * Unordered pairs (low < high) carry both directions through the first aggregation, which halves it.
 */
export async function pairs(database: Database, positions: number): Promise<PairTable> {
  const distances = Array.from({ length: positions }, (_, at) => {
    const { forward, back } = weightsAt(at + 1);
    return `(${at + 1}, ${forward}, ${back})`;
  });
  await database.run(`
    CREATE TABLE pair_sums AS
    WITH distances (d, forward, back) AS (VALUES ${distances.join(', ')}),
    candidates AS (
      SELECT later.session, later.relation, earlier.item AS i, later.item AS j, forward, back
      FROM sequences AS later, distances, sequences AS earlier
      WHERE earlier.session = later.session AND earlier.relation = later.relation
        AND earlier.position = later.position - d AND earlier.item <> later.item),
    per_session AS (
      SELECT relation, least(i, j) AS low, greatest(i, j) AS high,
        max(CASE WHEN i < j THEN forward ELSE back END) AS up,
        max(CASE WHEN i < j THEN back ELSE forward END) AS down
      FROM candidates GROUP BY session, relation, low, high)
    SELECT relation, low, high, sum(up)::DOUBLE AS up, sum(down)::DOUBLE AS down, count(*)::INTEGER AS sessions
    FROM per_session GROUP BY relation, low, high`);
  await viewedBought(database, distances);

  const ids: string[] = [];
  for await (const [id] of database.rows<[string]>('SELECT product_id FROM items ORDER BY item')) ids.push(id);
  const [rows] = await database.row<[number]>(
    'SELECT (2 * (SELECT count(*) FROM pair_sums) + (SELECT count(*) FROM way_sums))::DOUBLE',
  );
  const table = new PairTable(ids, rows);
  const directed = `
    SELECT list_position([${relations.map((name) => `'${name}'`).join(', ')}], relation) - 1 AS code, item, neighbour,
      weight, sessions
    FROM (
      SELECT relation, low AS item, high AS neighbour, up AS weight, sessions FROM pair_sums
      UNION ALL SELECT relation, high, low, down, sessions FROM pair_sums
      UNION ALL SELECT 'viewed-bought', i, j, weight, sessions FROM way_sums)
    ORDER BY 1, 2, 3`;
  for await (const columns of database.columns(directed)) table.append(columns as number[][]);
  await database.run('DROP TABLE pair_sums; DROP TABLE way_sums');
  return table;
}

/** `way_sums`: what was viewed (i), then bought (j). Views are counted back from the place of the purchase. */
async function viewedBought(database: Database, distances: readonly string[]): Promise<void> {
  await database.run(`
    CREATE TABLE way_sums AS
    WITH distances (d, forward, back) AS (VALUES ${distances.join(', ')}),
    firsts AS (
      SELECT session, item, min(place) AS place FROM sequences WHERE relation = 'bought' GROUP BY session, item),
    standing AS (
      SELECT firsts.session, firsts.item, count(views.place) AS viewed
      FROM firsts LEFT JOIN sequences AS views
        ON views.session = firsts.session AND views.relation = 'viewed' AND views.place < firsts.place
      GROUP BY firsts.session, firsts.item),
    per_session AS (
      SELECT standing.session, views.item AS i, standing.item AS j, max(forward) AS weight
      FROM standing, distances, sequences AS views
      WHERE views.session = standing.session AND views.relation = 'viewed'
        AND views.position = standing.viewed + 1 - d AND views.item <> standing.item
      GROUP BY standing.session, i, j)
    SELECT i, j, sum(weight)::DOUBLE AS weight, count(*)::INTEGER AS sessions FROM per_session GROUP BY i, j`);
}
