import type { Database } from './database.ts';

export const sessionEventsMax = 200;

/**
 * Cuts the events that take part (views, carts and purchases, no service) into sessions and numbers what each one pairs.
 *
 *     sequences: session, relation (as text), place, position (1..), item
 *                                                          the first 200 of a session; `place` numbers them all,
 *                                                          `position` those of one relation
 *     items:     item, product_id                          small numbers for the product ids
 *
 * A named session never ends. Without a name, a session ends where the next event is more than the gap (30 minutes) later than
 * the greatest timestamp so far. "So far" may as well reach back past the start of the session: a new one starts later
 * than everything before it, so that one running maximum per key serves.
 */
export async function cutSessions(database: Database, gapMs: number): Promise<void> {
  await database.run(`
    CREATE TABLE items AS
    SELECT (row_number() OVER (ORDER BY product_id) - 1)::INTEGER AS item, product_id
    FROM (SELECT DISTINCT product_id FROM events WHERE type IN ('view', 'cart', 'purchase') AND NOT service);

    CREATE TABLE sequences AS
    WITH parts AS (
      SELECT session_key, seq, product_id,
        CASE type WHEN 'view' THEN 'viewed' WHEN 'cart' THEN 'cart' ELSE 'bought' END AS relation,
        ts - max(ts) OVER (PARTITION BY session_key ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS later
      FROM events WHERE type IN ('view', 'cart', 'purchase') AND NOT service),
    numbered AS (
      SELECT *, sum((later IS NULL OR (later > ${gapMs} AND session_key LIKE 'u:%'))::INTEGER)
        OVER (ORDER BY session_key, seq)::INTEGER AS session
      FROM parts),
    placed AS (SELECT *, row_number() OVER (PARTITION BY session ORDER BY seq) AS place FROM numbered)
    SELECT session, relation, place::INTEGER AS place,
      row_number() OVER (PARTITION BY session, relation ORDER BY seq)::INTEGER AS position, item
    FROM placed JOIN items USING (product_id) WHERE place <= ${sessionEventsMax}`);
}
