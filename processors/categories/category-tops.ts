import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { decayed, fastHalfLifeMs, slowHalfLifeMs, type ProductTrend } from '../products/product-trend.ts';
import type { CategoryProduct } from './category-products.ts';
import { emptyTopList, type Ranked, type TopList } from './top-list.ts';

/**
 * A row of the store `category-tops`: how many products a category has, and the first of them in two orders. The row of the
 * empty category is of the whole shop; it alone keeps `lastMs`.
 *
 *     bytes: | products | active | lastMs |
 *            | trending: complete u8 | n | { productId | refMs | fast f64 | slow f64 } × n |
 *            | best sellers: complete u8 | n | { productId | purchases } × n |
 */
export interface CategoryTops {
  /** In `category-products`. */
  products: number;
  active: number;
  /** The greatest refMs of all products of the shop: what a trending score is as of. */
  lastMs: number;
  /** The first `topsMax` are as the rules say; what comes behind them spares making the list anew. */
  readonly trending: TopList<TrendingProduct>;
  readonly bestSellers: TopList<BestSeller>;
}

export interface TrendingProduct extends Ranked {
  readonly trend: ProductTrend;
}

export interface BestSeller extends Ranked {
  /** The rank itself. */
  readonly purchases: number;
}

export function noTops(): CategoryTops {
  return { products: 0, active: 0, lastMs: 0, trending: emptyTopList(), bestSellers: emptyTopList() };
}

/** How many products of a category can be asked for in an order. */
export function topsMax(category: string): number {
  return category === '' ? 400 : 200;
}

/** undefined: not to be recommended, or without interest. */
export function trendingProduct(productId: string, product: CategoryProduct): TrendingProduct | undefined {
  const { active, service, trend } = product;
  if (!active || service || trend.fast <= 0) return undefined;
  return { productId, rank: trendRank(trend), trend };
}

export function bestSeller(productId: string, product: CategoryProduct): BestSeller | undefined {
  const { active, service, purchases } = product;
  if (!active || service || purchases === 0) return undefined;
  return { productId, rank: purchases, purchases };
}

/** Orders trends as their fast sums are ordered at any one moment: log2 of the sum as of the epoch. */
export function trendRank({ refMs, fast }: ProductTrend): number {
  return Math.log2(fast) + refMs / fastHalfLifeMs;
}

/**
 * What trends, as served: F / (S + 20), F and S being the fast and the slow sum as of `atMs`; score descending, ties by
 * product id. Both sums are expected events; 20 keeps one view of a product that nobody knew from being a trend.
 */
export function trendingAt(candidates: readonly TrendingProduct[], atMs: number): ScoredTrend[] {
  return candidates
    .map(({ productId, trend }) => ({ productId, score: trendScore(trend, atMs) }))
    .sort((a, b) => b.score - a.score || (a.productId < b.productId ? -1 : 1));
}

/** What trends in a category, best first, as of the newest event of the shop: among the first `topsMax` by their fast sums. */
export function trendingIn(category: string, tops: CategoryTops | null | undefined, lastMs: number): ScoredTrend[] {
  return trendingAt(tops?.trending.entries.slice(0, topsMax(category)) ?? [], lastMs);
}

export interface ScoredTrend {
  readonly productId: string;
  readonly score: number;
}

function trendScore({ refMs, fast, slow }: ProductTrend, toMs: number): number {
  const now = decayed(fast, { fromMs: refMs, toMs, halfLifeMs: fastHalfLifeMs });
  const usual = decayed(slow, { fromMs: refMs, toMs, halfLifeMs: slowHalfLifeMs });
  return now / (usual + usualPrior);
}

export const categoryTopsSerde: Serde<CategoryTops> = {
  name: 'category-tops',
  serialize({ products, active, lastMs, trending, bestSellers }) {
    writer.begin().varint(products).varint(active).varint(lastMs);
    writer.byte(trending.complete ? 1 : 0).varint(trending.entries.length);
    for (const { productId, trend } of trending.entries) {
      writer.text(productId).varint(trend.refMs).double(trend.fast).double(trend.slow);
    }
    writer.byte(bestSellers.complete ? 1 : 0).varint(bestSellers.entries.length);
    for (const { productId, purchases } of bestSellers.entries) writer.text(productId).varint(purchases);
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('category-tops', bytes);
    const tops: CategoryTops = {
      products: reader.varint(),
      active: reader.varint(),
      lastMs: reader.varint(),
      trending: readList(reader, () => {
        const productId = reader.text();
        const trend = { refMs: reader.varint(), fast: reader.double(), slow: reader.double() };
        return { productId, rank: trendRank(trend), trend };
      }),
      bestSellers: readList(reader, () => {
        const productId = reader.text();
        const purchases = reader.varint();
        return { productId, rank: purchases, purchases };
      }),
    };
    reader.end();
    return tops;
  },
  sizeOf: ({ trending, bestSellers }) => 256 + trending.entries.length * 160 + bestSellers.entries.length * 96,
};

function readList<T extends Ranked>(reader: ByteReader, entry: () => T): TopList<T> {
  const complete = reader.byte() === 1;
  return { complete, entries: Array.from({ length: reader.varint() }, entry) };
}

const usualPrior = 20;
const writer = new ByteWriter();
