import type { Database } from './database.ts';
import type { LastVersion } from './catalogue.ts';
import { interest } from './products.ts';
import { rankedList, type RankedList } from './lists.ts';
import type { UserProductRow } from './rows.ts';

const halfLifeMs = 30 * 24 * 3_600_000;

export type UserProducts = ReadonlyMap<string, readonly UserProductRow[]>;

/** What each named user cared about, by product: sums over events that are neither service nor without interest. */
export async function userProducts(database: Database): Promise<UserProducts> {
  const found = new Map<string, UserProductRow[]>();
  const sql = `
    WITH parts AS (
      SELECT user_id, product_id, ts, ${interest} AS interest, max(ts) OVER (PARTITION BY user_id, product_id) AS ref
      FROM events WHERE user_id IS NOT NULL AND NOT service AND type IN ('view', 'cart', 'purchase'))
    SELECT user_id, product_id, any_value(ref)::DOUBLE, sum(interest * pow(2, (ts - ref) / ${halfLifeMs}))
    FROM parts GROUP BY user_id, product_id ORDER BY user_id`;
  for await (const [userId, productId, refMs, weight] of database.rows<[string, string, number, number]>(sql)) {
    const of = found.get(userId);
    const row = { userId, productId, refMs, weight };
    if (of === undefined) found.set(userId, [row]);
    else of.push(row);
  }
  return found;
}

/** Shares of interest by current category, of the 1,000 products that weigh most. */
export function categoryShares(
  products: readonly UserProductRow[],
  catalogue: ReadonlyMap<string, LastVersion>,
): RankedList {
  const newestMs = products.reduce((newest, { refMs }) => Math.max(newest, Number(refMs)), 0);
  const heaviest = products
    .map(({ productId, refMs, weight }) => ({
      productId,
      weight: weight * 2 ** ((Number(refMs) - newestMs) / halfLifeMs),
    }))
    .toSorted((a, b) => b.weight - a.weight || (a.productId < b.productId ? -1 : 1))
    .slice(0, 1000);
  const sums = new Map<string, number>();
  for (const { productId, weight } of heaviest) {
    const category = catalogue.get(productId)?.category ?? null;
    if (category !== null) sums.set(category, (sums.get(category) ?? 0) + weight);
  }
  const total = [...sums.values()].reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return rankedList([]);
  return rankedList([...sums].map(([category, weight]) => ({ id: category, score: weight / total })));
}
