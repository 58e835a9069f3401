import type { Database } from './database.ts';
import { fourCounts, moneySum, quantitySum } from './products.ts';
import type { CategoryFunnelRow, SessionWindowRow } from './rows.ts';

/** A session window, what was done in it by product and hour spelled as `spelledProducts` does. */
export interface SessionWindow extends Omit<SessionWindowRow, 'products'> {
  readonly products: string;
}

export function windowKey(sessionKey: string, startMs: number | bigint): string {
  return `${startMs} ${sessionKey}`;
}

/** One text for the products of a window, in whatever order they come. */
export function spelledProducts(products: SessionWindowRow['products']): string {
  return products
    .map(({ productId, hour, bits }) => `${productId} ${hour} ${bits}`)
    .toSorted()
    .join('\n');
}

export function readProducts(spelled: string): SessionWindowRow['products'] {
  if (spelled === '') return [];
  return spelled.split('\n').map((line) => {
    const [, productId, hour, bits] = /^(.*) (\d+) (\d)$/s.exec(line)!;
    return { productId: productId!, hour: Number(hour), bits: Number(bits) };
  });
}

const bitOf = `CASE type WHEN 'view' THEN 1 WHEN 'cart' THEN 2 WHEN 'purchase' THEN 4 ELSE 0 END`;

/**
 * Cuts all events of a key that are not service, in the order of their times, where more than the gap lies between two.
 *
 *     window_events: win, session_key, product_id, hour, bits, seq     what was done, one row an event
 */
export async function sessionWindows(database: Database, gapMs: number): Promise<Map<string, SessionWindow>> {
  await database.run(`
    CREATE TABLE window_events AS
    WITH beside AS (
      SELECT seq, session_key, product_id, ts // 3600000 AS hour, ${bitOf} AS bits, ts,
        ts - lag(ts) OVER (PARTITION BY session_key ORDER BY ts, seq) AS later
      FROM events WHERE NOT service)
    SELECT sum((later IS NULL OR later > ${gapMs})::INTEGER) OVER (ORDER BY session_key, ts, seq)::INTEGER AS win,
      seq, session_key, product_id, hour, bits
    FROM beside`);
  const products = new Map<number, string[]>();
  const done = `
    SELECT win, product_id || ' ' || hour || ' ' || bit_or(bits) FROM window_events WHERE bits > 0
    GROUP BY win, product_id, hour`;
  for await (const [win, text] of database.rows<[number, string]>(done)) {
    const of = products.get(win);
    if (of === undefined) products.set(win, [text]);
    else of.push(text);
  }
  const found = new Map<string, SessionWindow>();
  const sql = `
    SELECT win, session_key, min(ts)::DOUBLE, max(ts)::DOUBLE,
      arg_max(user_id, {'ts': ts, 'event_order': event_order, 'user_id': user_id}) FILTER (user_id IS NOT NULL),
      ${fourCounts}, ${quantitySum}, ${moneySum}
    FROM window_events JOIN (SELECT * EXCLUDE (session_key, product_id) FROM events) USING (seq)
    GROUP BY win, session_key`;
  type Row = [number, string, number, number, string | null, number, number, number, number, bigint, bigint];
  for await (const row of database.rows<Row>(sql)) {
    const [win, sessionKey, startMs, endMs, userId, views, carts, purchases, returns, quantity, revenue] = row;
    found.set(windowKey(sessionKey, startMs), {
      ...{ sessionKey, startMs, endMs, userId, views, carts, purchases, returns, quantity, revenue },
      products: (products.get(win) ?? []).toSorted().join('\n'),
    });
  }
  return found;
}

export function funnelKey(category: string, day: number | bigint): string {
  return `${day} ${category}`;
}

/** Windows by category and day of their start, counted by what was done in them; wants `hour_categories`. */
export async function categoryFunnels(database: Database): Promise<Map<string, CategoryFunnelRow>> {
  const found = new Map<string, CategoryFunnelRow>();
  const sql = `
    WITH starts AS (SELECT win, min(ts) // 86400000 AS day FROM window_events JOIN events USING (seq) GROUP BY win),
    done AS (
      SELECT win, category, bit_or(bits) AS bits FROM window_events JOIN hour_categories USING (product_id, hour)
      WHERE bits > 0 AND category IS NOT NULL GROUP BY win, category)
    SELECT category, day::DOUBLE, bits, count(*)::DOUBLE FROM done JOIN starts USING (win) GROUP BY category, day, bits`;
  for await (const [category, day, bits, count] of database.rows<[string, number, number, number]>(sql)) {
    const key = funnelKey(category, day);
    const windows = found.get(key)?.windows ?? [0, 0, 0, 0, 0, 0, 0];
    found.set(key, { category, day, windows: windows.with(bits - 1, count) });
  }
  return found;
}
