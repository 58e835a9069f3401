import type { Database } from './database.ts';
import { fourCounts, moneySum, quantitySum } from './products.ts';
import type { RecentProduct, UserProfileRow } from './rows.ts';

export const recentMax = 20;

/** Profiles of named users; what came with no user is left out. */
export async function userProfiles(database: Database): Promise<Map<string, UserProfileRow>> {
  const recent = await recentProducts(database);
  const found = new Map<string, UserProfileRow>();
  const sql = `
    SELECT user_id, ${fourCounts}, ${quantitySum}, ${moneySum}, min(ts)::DOUBLE, max(ts)::DOUBLE
    FROM events WHERE user_id IS NOT NULL GROUP BY user_id`;
  type Row = [string, number, number, number, number, bigint, bigint, number, number];
  for await (const row of database.rows<Row>(sql)) {
    const [userId, views, carts, purchases, returns, quantity, spend, firstSeenMs, lastSeenMs] = row;
    const counts = { views, carts, purchases, returns, quantity, spend, firstSeenMs, lastSeenMs };
    found.set(userId, { userId, ...counts, recent: recent.get(userId) ?? [] });
  }
  return found;
}

async function recentProducts(database: Database): Promise<Map<string, RecentProduct[]>> {
  const found = new Map<string, RecentProduct[]>();
  const sql = `
    WITH latest AS (
      SELECT user_id, product_id, max(ts) AS ts,
        arg_max(event_id, {'ts': ts, 'event_order': event_order}) AS event_id,
        arg_max(event_order, {'ts': ts, 'event_order': event_order}) AS event_order
      FROM events WHERE user_id IS NOT NULL AND type <> 'return' AND NOT service GROUP BY user_id, product_id)
    SELECT user_id, product_id, ts::DOUBLE, event_id FROM latest
    QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts DESC, event_order DESC) <= ${recentMax}
    ORDER BY user_id, ts DESC, event_order DESC`;
  for await (const [userId, productId, timestamp, eventId] of database.rows<[string, string, number, string]>(sql)) {
    const of = found.get(userId) ?? [];
    if (of.length === 0) found.set(userId, of);
    of.push({ productId, timestamp, eventId });
  }
  return found;
}
