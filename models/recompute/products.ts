import type { Database } from './database.ts';
import type { ProductHourRow, ProductStatsRow, ProductTitlesRow, TitleCount, Trend } from './rows.ts';
import { fastHalfLifeMs, slowHalfLifeMs } from './scores.ts';

const typeCounts = (names: Readonly<Record<string, string>>): string =>
  Object.entries(names)
    .map(([name, type]) => `(count(*) FILTER (type = '${type}'))::DOUBLE AS ${name}`)
    .join(', ');

/** Money and pieces: a purchase adds, a return takes away. HUGEINT, so that no sum is ever rounded. */
const sign = `CASE type WHEN 'purchase' THEN 1 WHEN 'return' THEN -1 ELSE 0 END`;
export const quantitySum = `sum((${sign}) * quantity::HUGEINT)`;
export const moneySum = `sum((${sign}) * quantity::HUGEINT * price::HUGEINT)`;
export const fourCounts = typeCounts({ views: 'view', carts: 'cart', purchases: 'purchase', returns: 'return' });

/** What an event weighs in sums of interest. */
export const interest = `CASE type WHEN 'view' THEN 1 WHEN 'cart' THEN 3 WHEN 'purchase' THEN 5 ELSE 0 END`;

type Stats = [
  ...[string, number, number, number, number, number, number, number],
  ...[bigint, bigint, number, number, boolean],
];

export async function productStats(database: Database): Promise<Map<string, ProductStatsRow>> {
  const trends = await productTrends(database);
  const found = new Map<string, ProductStatsRow>();
  const sql = `
    SELECT product_id, ${fourCounts}, ${typeCounts({ favorites: 'favorite', removes: 'remove', ratings: 'rating' })},
      ${quantitySum}, ${moneySum}, min(ts)::DOUBLE, max(ts)::DOUBLE, bool_or(service)
    FROM events GROUP BY product_id`;
  for await (const row of database.rows<Stats>(sql)) {
    const [productId, views, carts, purchases, returns, favorites, removes, ratings, quantity, revenue, ...rest] = row;
    const [firstSeenMs, lastSeenMs, service] = rest;
    const counts = { views, carts, purchases, returns, favorites, removes, ratings };
    const trend = trends.get(productId) ?? { refMs: 0, fast: 0, slow: 0 };
    found.set(productId, { productId, ...counts, quantity, revenue, firstSeenMs, lastSeenMs, service, trend });
  }
  return found;
}

async function productTrends(database: Database): Promise<Map<string, Trend>> {
  const found = new Map<string, Trend>();
  const sum = (halfLifeMs: number): string => `sum(${interest} * pow(2, (ts - ref) / ${halfLifeMs}))`;
  const sql = `
    WITH parts AS (
      SELECT product_id, type, ts, max(ts) OVER (PARTITION BY product_id) AS ref
      FROM events WHERE type IN ('view', 'cart', 'purchase'))
    SELECT product_id, any_value(ref)::DOUBLE, ${sum(fastHalfLifeMs)}, ${sum(slowHalfLifeMs)}
    FROM parts GROUP BY product_id`;
  for await (const [productId, refMs, fast, slow] of database.rows<[string, number, number, number]>(sql)) {
    found.set(productId, { refMs, fast, slow });
  }
  return found;
}

export function hourKey(productId: string, hour: number | bigint): string {
  return `${hour} ${productId}`;
}

export async function productHours(database: Database): Promise<Map<string, ProductHourRow>> {
  const found = new Map<string, ProductHourRow>();
  const sql = `
    SELECT product_id, (ts // 3600000)::DOUBLE AS hour, ${fourCounts}, ${quantitySum}, ${moneySum}
    FROM events WHERE type IN ('view', 'cart', 'purchase', 'return') GROUP BY product_id, hour`;
  for await (const row of database.rows<[string, number, number, number, number, number, bigint, bigint]>(sql)) {
    const [productId, hour, views, carts, purchases, returns, quantity, revenue] = row;
    found.set(hourKey(productId, hour), { productId, hour, views, carts, purchases, returns, quantity, revenue });
  }
  return found;
}

/** The first is the chosen one: most events, then least first occurrence by (timestamp, event id). */
export async function productTitles(database: Database): Promise<Map<string, ProductTitlesRow>> {
  const titles = new Map<string, TitleCount[]>();
  const sql = `
    SELECT product_id, title, count(*)::DOUBLE AS n, min(ts)::DOUBLE AS first,
      arg_min(event_order, {'ts': ts, 'event_order': event_order}) AS first_event
    FROM events WHERE title IS NOT NULL GROUP BY product_id, title
    ORDER BY product_id, n DESC, first, first_event`;
  for await (const [productId, title, count, firstSeenMs] of database.rows<[string, string, number, number]>(sql)) {
    const of = titles.get(productId) ?? [];
    if (of.length === 0) titles.set(productId, of);
    of.push({ title, count, firstSeenMs });
  }
  const found = new Map<string, ProductTitlesRow>();
  for (const [productId, of] of titles) found.set(productId, { productId, title: of[0]!.title, titles: of });
  return found;
}
