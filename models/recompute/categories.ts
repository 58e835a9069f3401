import type { LastVersion } from './catalogue.ts';
import type { Database } from './database.ts';
import { rankedList, type RankedList } from './lists.ts';
import { fourCounts, moneySum, quantitySum } from './products.ts';
import type { CategoryHourRow, CategoryProductRow, ProductStatsRow } from './rows.ts';
import { trendingScore, trendRank } from './scores.ts';

/**
 * The category that each product had in each hour in which it had an event.
 *
 *     hour_categories: product_id, hour, category
 */
export async function hourCategories(database: Database): Promise<void> {
  await database.run(`
    CREATE TABLE hour_categories AS
    WITH hours AS (SELECT DISTINCT product_id, ts // 3600000 AS hour FROM events),
    held AS (
      SELECT product_id, category,
        CASE WHEN from_ms = min(from_ms) OVER (PARTITION BY product_id) THEN -1 ELSE from_ms END AS from_ms
      FROM product_categories)
    SELECT hours.product_id, hours.hour, held.category
    FROM hours ASOF JOIN held ON hours.product_id = held.product_id AND hours.hour * 3600000 >= held.from_ms`);
}

export function categoryHourKey(category: string, hour: number | bigint): string {
  return `${hour} ${category}`;
}

export async function categoryHours(database: Database): Promise<Map<string, CategoryHourRow>> {
  const found = new Map<string, CategoryHourRow>();
  const sql = `
    SELECT category, hour::DOUBLE, ${fourCounts}, ${quantitySum}, ${moneySum}
    FROM (SELECT *, ts // 3600000 AS hour FROM events) JOIN hour_categories USING (product_id, hour)
    WHERE type IN ('view', 'cart', 'purchase', 'return') AND category IS NOT NULL GROUP BY category, hour`;
  for await (const row of database.rows<[string, number, number, number, number, number, bigint, bigint]>(sql)) {
    const [category, hour, views, carts, purchases, returns, quantity, revenue] = row;
    const counts = { views, carts, purchases, returns, quantity, revenue };
    found.set(categoryHourKey(category, hour), { category, hour, ...counts });
  }
  return found;
}

export interface CategoryMembers {
  /** By `memberKey`. */
  readonly products: ReadonlyMap<string, CategoryProductRow>;
  /** By category, '' being the whole shop. */
  readonly tops: ReadonlyMap<string, CategoryTops>;
}

export interface CategoryTops {
  readonly category: string;
  readonly products: number;
  readonly active: number;
  /** By `fast` as of one moment; the score is its rank, see `trendRank`. */
  readonly byFast: RankedList;
  readonly bestSellers: RankedList;
  /** What `trending` answers. */
  readonly trending: RankedList;
}

export function memberKey(category: string, productId: string): string {
  return `${category}\n${productId}`;
}

/** How many of a category's first products an order can be asked for. */
export function topsMax(category: string): number {
  return category === '' ? 400 : 200;
}

/** Every product under its current category; under the empty one every product that has had an event. */
export function categoryMembers(
  stats: ReadonlyMap<string, ProductStatsRow>,
  catalogue: ReadonlyMap<string, LastVersion>,
): CategoryMembers {
  const products = new Map<string, CategoryProductRow>();
  const byCategory = new Map<string, CategoryProductRow[]>();
  for (const productId of new Set([...stats.keys(), ...catalogue.keys()])) {
    const seen = stats.get(productId);
    const version = catalogue.get(productId);
    const figures = {
      active: version?.active ?? true,
      service: seen?.service ?? false,
      purchases: seen?.purchases ?? 0,
      trend: seen?.trend ?? { refMs: 0, fast: 0, slow: 0 },
    };
    const categories = [seen === undefined ? null : '', version?.category ?? null];
    for (const category of categories) {
      if (category === null) continue;
      const row = { category, productId, ...figures };
      products.set(memberKey(category, productId), row);
      const of = byCategory.get(category);
      if (of === undefined) byCategory.set(category, [row]);
      else of.push(row);
    }
  }
  const newestMs = (byCategory.get('') ?? []).reduce((newest, { trend }) => Math.max(newest, Number(trend.refMs)), 0);
  const tops = new Map([...byCategory].map(([category, rows]) => [category, topsOf(category, rows, newestMs)]));
  return { products, tops };
}

function topsOf(category: string, rows: readonly CategoryProductRow[], newestMs: number): CategoryTops {
  const listed = rows.filter(({ active, service }) => active && !service);
  const risen = listed.filter(({ trend }) => trend.fast > 0);
  const byFast = rankedList(risen.map(({ productId, trend }) => ({ id: productId, score: trendRank(trend) })));
  const trends = new Map(risen.map(({ productId, trend }) => [productId, trend]));
  const candidates = byFast
    .top(topsMax(category))
    .map(({ id }) => ({ id, score: trendingScore(trends.get(id)!, newestMs) }));
  return {
    category,
    products: rows.length,
    active: rows.filter(({ active }) => active).length,
    byFast,
    bestSellers: rankedList(
      listed
        .filter(({ purchases }) => Number(purchases) > 0)
        .map(({ productId, purchases }) => ({ id: productId, score: Number(purchases) })),
    ),
    trending: rankedList(candidates),
  };
}
